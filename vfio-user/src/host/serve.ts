import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { startHost } from './host.ts';
import { onSignal } from './signals.ts';

/**
 * Serves the device that is the default export of the module at `moduleUrl`, on the socket named on the command line,
 * until its client leaves or a signal comes. Where that module is not the program, as in the thread that runs the device,
 * it does nothing, so a module may end with `await serve(import.meta.url)`. The exit code is 1 when the device fails.
 */
export async function serve(moduleUrl: string, socketPath: string | undefined = process.argv[2]): Promise<void> {
  if (!isMainThread || !isProgram(moduleUrl)) return;
  if (socketPath === undefined) {
    process.stderr.write(`usage: ${process.argv[1]} SOCKET\n`);
    process.exitCode = 2;
    return;
  }
  const stopping = onSignal();
  const functions = [{ id: 'device', socketPath, model: moduleUrl, options: {} }];
  const host = await startHost({ functions, onClientGone: 'exit' }).catch((error: Error) => {
    process.stderr.write(`error: ${error.message}\n`);
    process.exitCode = 1;
  });
  if (!host) return;
  process.stderr.write(`info: listening on ${socketPath}\n`);
  host.on('log', ({ level, message, fields }) => {
    const details = Object.keys(fields).length === 0 ? '' : ` ${JSON.stringify(fields)}`;
    process.stderr.write(`${level}: ${message}${details}\n`);
    if (level === 'error') process.exitCode = 1;
  });
  void stopping.then(() => host.stop());
  await host.closed;
}

/** Whether Node was started with this module, by whatever path. */
function isProgram(moduleUrl: string): boolean {
  try {
    return realpathSync(fileURLToPath(moduleUrl)) === realpathSync(process.argv[1] ?? '');
  } catch {
    return false;
  }
}
