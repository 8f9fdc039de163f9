import { type Host, startHost } from '../host/host.ts';
import { onSignal } from '../host/signals.ts';
import { resolveOptions } from '../mock-accel/options.ts';
import { profileOptions } from '../profiles/profiles.ts';
import { watchProfile } from '../profiles/watch.ts';
import { unplug } from '../qmp/unplug.ts';
import { type FunctionFlags, functionOptions } from './function-options.ts';
import { readRules } from './rules.ts';

export interface ServeFlags extends FunctionFlags {
  verbose?: boolean;
  profile?: string;
  profileName?: string;
  control?: string;
  faults?: string;
  trace?: string;
  relisten?: boolean;
  keepState?: boolean;
  qmp?: string;
  qdev?: string;
}

const ID = 'd0';

/** Serves one function until its client leaves, or for ever with --relisten. Returns the exit code. */
export async function serve(socketPath: string, flags: ServeFlags): Promise<number> {
  const say = (text: string) => flags.verbose && process.stderr.write(`mock-accel-server: ${text}\n`);
  const profile = flags.profile === undefined ? {} : profileOptions(flags.profile, flags.profileName);
  const options = functionOptions(flags, profile);
  resolveOptions(options);
  const rules = flags.faults === undefined ? [] : readRules(flags.faults);
  // Before the socket is there: whoever sees it may send a signal at once.
  const stopping = onSignal();
  const host = await startHost({
    functions: [{ id: ID, socketPath, model: 'mock-accel', options: { ...options } }],
    onClientGone: flags.relisten ? 'relisten' : 'exit',
    keepState: flags.keepState ?? false,
  });
  const failed = report(host, flags, say);
  if (flags.qmp !== undefined) unplugWhenRemoved(host, flags.qmp, flags.qdev);
  void stopping.then(() => host.stop());
  say(`listening on ${socketPath}`);
  for (const rule of rules) await host.request(ID, 'fault-set', { rule });
  if (flags.trace !== undefined) await host.request(ID, 'trace-start', { file: flags.trace });
  const control = flags.control === undefined ? undefined : await controlServer(host, flags.control);
  const watcher =
    flags.profile === undefined
      ? undefined
      : watchProfile(
          host,
          ID,
          { path: flags.profile, name: flags.profileName },
          {
            complete: (next) => functionOptions(flags, next),
            reloaded: () => say('profile reloaded'),
            refused: (error) => process.stderr.write(`mock-accel-server: profile not reloaded: ${error.message}\n`),
          },
        );
  await host.closed;
  watcher?.close();
  await control?.close();
  return failed() ? 1 : 0;
}

/** Carries out the second half of a surprise removal that a rule began. */
function unplugWhenRemoved(host: Host, qmp: string, device: string | undefined): void {
  host.on('fault', ({ id, rule, fault }) => {
    if (fault.kind !== 'removal') return;
    void (async () => {
      const { msixVectors } = (await host.request(id, 'stats')) as { msixVectors: number };
      await unplug(qmp, { device, msixVectors });
      await host.request(id, 'fault-clear', { rule });
    })().catch((error: Error) => process.stderr.write(`mock-accel-server: not unplugged: ${error.message}\n`));
  });
}

/** Loaded only where it is wanted: node:net comes with it. */
async function controlServer(host: Host, path: string) {
  const { startControlServer } = await import('../control/server.ts');
  return await startControlServer(host, path);
}

/** Shows what the host tells. Returns whether something failed. */
function report(host: Host, flags: ServeFlags, say: (text: string) => unknown): () => boolean {
  let failed = false;
  host.on('connected', () => say('client connected'));
  host.on('disconnected', () => say('client left'));
  host.on('log', ({ level, message, fields }) => {
    if (level === 'error') failed = true;
    if (level === 'error' || flags.verbose)
      process.stderr.write(`mock-accel-server: ${level}: ${message} ${JSON.stringify(fields)}\n`);
  });
  return () => failed;
}
