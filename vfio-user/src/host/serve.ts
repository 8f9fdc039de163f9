import { isMainThread } from 'node:worker_threads';
import { startHost } from './host.ts';
import { onSignal } from './signals.ts';

/**
 * Serves the device that is the default export of the module at `moduleUrl`, on the socket named on the command line,
 * until its client leaves or a signal comes. In the thread that runs the device it does nothing, so a module may end
 * with `await serve(import.meta.url)`.
 */
export async function serve(moduleUrl: string, socketPath: string | undefined = process.argv[2]): Promise<void> {
  if (!isMainThread || process.argv[1] === undefined || !moduleUrl.endsWith(encodeURI(process.argv[1]))) return;
  if (socketPath === undefined) {
    process.stderr.write(`usage: ${process.argv[1]} SOCKET\n`);
    process.exitCode = 2;
    return;
  }
  const stopping = onSignal();
  const functions = [{ id: 'device', socketPath, model: moduleUrl, options: {} }];
  const host = await startHost({ functions, onClientGone: 'exit' });
  host.on('log', ({ level, message, fields }) => {
    const details = Object.keys(fields).length === 0 ? '' : ` ${JSON.stringify(fields)}`;
    process.stderr.write(`${level}: ${message}${details}\n`);
  });
  void stopping.then(() => host.stop());
  await host.closed;
}
