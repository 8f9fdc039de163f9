import { existsSync } from 'node:fs';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * URL of the worker `<name>.worker` that belongs to the module at `moduleUrl`, beside it: the TypeScript file when the
 * sources run as they are; in a bundle the CommonJS file, which spares a thread Node's module loader (0.5 MB); else the
 * emitted JavaScript file.
 */
export function workerUrl(moduleUrl: string, name: string): URL {
  const beside = (ending: string) => new URL(`./${name}.worker.${ending}`, moduleUrl);
  if (moduleUrl.endsWith('.ts')) return beside('ts');
  return existsSync(beside('cjs')) ? beside('cjs') : beside('js');
}

/** Starts a worker of {@link workerUrl}; TypeScript sources (tests, development) get the loader they need. */
export function startWorker(url: URL, options: WorkerOptions = {}): Worker {
  // Descriptors go between threads and native code here; Node's list of those "opened in this worker" would be wrong.
  const common = { trackUnmanagedFds: false, ...options };
  if (!url.pathname.endsWith('.ts')) return new Worker(url, common);
  // Node 20 does not pass a parent's loader on to its workers, and ignores --import in their execArgv.
  // The code below has no file of its own, so it would look for tsx from the working directory. (Vitest has no
  // import.meta.resolve, and runs where tsx is found.)
  const loader = import.meta.resolve?.('tsx/esm/api') ?? 'tsx/esm/api';
  const boot = `import('${loader}').then(({ register }) => { register(); return import(${JSON.stringify(url.href)}); });`;
  return new Worker(boot, {
    ...common,
    eval: true,
    execArgv: [...(options.execArgv ?? []), '--conditions=@kata-mock/source'],
  });
}
