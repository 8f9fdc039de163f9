import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { KataMockError } from '../../errors.ts';
import { diesWithParent } from '../process/pdeathsig.ts';
import type { ProcessEnd } from '../share/share.ts';

const pollMs = 5;

/** Starts vhost-device-vsock and waits for the socket that QEMU connects to. */
export async function startTransportHelper(
  helper: { command: string; args: string[] },
  options: { socketPath: string; log: string; signal: AbortSignal },
): Promise<{ ended: Promise<ProcessEnd>; kill(): void }> {
  const log = openSync(options.log, 'a', 0o600);
  const { command, args } = diesWithParent(helper.command, helper.args);
  const child = spawn(command, args, { stdio: ['ignore', log, log], detached: true });
  closeSync(log);
  let running = true;
  const ended = new Promise<ProcessEnd>((resolve) => {
    const end = (code: number | null, signal: string | null) => {
      running = false;
      resolve({ code, signal });
    };
    child.once('exit', end);
    child.once('error', () => end(null, null));
  });
  while (!existsSync(options.socketPath)) {
    if (!running) {
      throw new KataMockError('HOST', `${helper.command} ended before it listened`, { hint: `see ${options.log}` });
    }
    await delay(pollMs, undefined, { signal: options.signal });
  }
  return { ended, kill: () => void child.kill('SIGKILL') };
}
