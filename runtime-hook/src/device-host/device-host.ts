import { openSync } from 'node:fs';
import path from 'node:path';
import type { Host, HostLogger } from '@kata-mock/vfio-user';
import type { Config } from '../config/config.ts';
import { onProcessEnd } from '../state/process-end.ts';
import type { VmState } from '../state/vm-state.ts';
import type { Guard } from './guard.ts';
import type { Identity } from './privileges.ts';

export interface DeviceHostOptions {
  host: Host;
  directory: string;
  state: VmState;
  guard: Guard;
  user: Identity;
  log: Config['log'];
  /** Log of the host's functions, from their start on. */
  logger: LateLogger;
}

/**
 * What the hook becomes once QEMU has its arguments: serves the VM's devices until QEMU has left all of them or has
 * ended, then goes. Nothing here may delay QEMU, which starts meanwhile.
 */
export async function serveDevices(options: DeviceHostOptions): Promise<void> {
  const { host, directory, state, logger } = options;
  const [{ startControlServer }, { dropPrivileges, mostDescriptors }, { fileLogger }] = await Promise.all([
    import('@kata-mock/vfio-user'),
    import('./privileges.ts'),
    import('./log.ts'),
  ]);
  const log = fileLogger(openSync(path.join(directory, 'host.log'), 'a', 0o600), options.log, state.sandboxId);
  logger.attach(log);
  let ordered = true;
  process.on('uncaughtException', (error) => {
    // What is left of this process cannot be trusted; the guard does what onDeviceLoss says.
    log.error({ reason: error.stack }, 'the device host failed');
    process.exit(1);
  });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      ordered = false;
      log.warn({ signal }, 'ending on a signal');
      void host.stop();
    });
  }
  const control = await startControlServer(host, path.join(directory, 'control.sock'));
  const unwatch = await onProcessEnd(state.qemu, () => void host.stop());
  // A function's thread reads its code as it starts, which the user below may have no right to.
  await Promise.all(host.list().map(({ id }) => host.request(id, 'stats')));
  dropPrivileges(options.user, mostDescriptors(state.functions.length));
  log.info({ pid: process.pid, uid: process.getuid?.(), devices: state.functions.length }, 'serving');

  await host.closed;
  unwatch();
  await control.close();
  log.info({}, 'every device has lost its client');
  // After a signal QEMU may still run: then the guard does what onDeviceLoss says.
  if (ordered) options.guard.done();
}

/** Keeps what is logged before there is a log. */
export class LateLogger implements HostLogger {
  #lines: ((to: HostLogger) => void)[] = [];
  #to: HostLogger | undefined;

  attach(to: HostLogger): void {
    this.#to = to;
    for (const line of this.#lines.splice(0)) line(to);
  }

  debug(fields: object, message: string): void {
    this.#log((to) => to.debug(fields, message));
  }

  info(fields: object, message: string): void {
    this.#log((to) => to.info(fields, message));
  }

  warn(fields: object, message: string): void {
    this.#log((to) => to.warn(fields, message));
  }

  error(fields: object, message: string): void {
    this.#log((to) => to.error(fields, message));
  }

  #log(line: (to: HostLogger) => void): void {
    if (this.#to) line(this.#to);
    else this.#lines.push(line);
  }
}
