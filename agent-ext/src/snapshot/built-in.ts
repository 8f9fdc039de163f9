/** Stands for two of Node's own modules in the snapshot's bundle (tools/bundle.ts names it for both). */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type * as WorkerThreads from 'node:worker_threads';

export let Worker: typeof WorkerThreads.Worker;
export let isMainThread: typeof WorkerThreads.isMainThread;
export let parentPort: typeof WorkerThreads.parentPort;
export let workerData: typeof WorkerThreads.workerData;

/**
 * node:worker_threads shares memory with its workers from the moment it is loaded, which a snapshot does not keep, so it is
 * loaded when the agent starts; until then its names are undefined.
 */
export function loadWorkerThreads(): void {
  ({ Worker, isMainThread, parentPort, workerData } = process.getBuiltinModule('node:worker_threads'));
}

/**
 * Of node:module, for one purpose: koffi is loaded from where the image keeps it. Node's own way there costs an emulated
 * guest a fifth of a second, for looking in places and for compiling the looker.
 * @public
 */
export function createRequire(url: string): (name: string) => unknown {
  return (name) => {
    const loaded: { exports: unknown } = { exports: {} };
    process.dlopen(loaded, path.join(path.dirname(fileURLToPath(url)), 'node_modules', name, `${name}.node`));
    return loaded.exports;
  };
}
