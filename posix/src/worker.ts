import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * URL of the worker `<name>.worker` that belongs to the module at `moduleUrl`: the TypeScript file beside it when the
 * sources run as they are, the bundled or emitted JavaScript file beside it otherwise.
 */
export function workerUrl(moduleUrl: string, name: string): URL {
  return new URL(`./${name}.worker${moduleUrl.endsWith('.ts') ? '.ts' : '.js'}`, moduleUrl);
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
