/**
 * Stands for node:worker_threads in the snapshot's bundle. The real module shares memory with its workers from the moment
 * it is loaded, which a snapshot does not keep, so it is loaded when the agent starts; until then its names are undefined.
 */
import type * as WorkerThreads from 'node:worker_threads';

export let Worker: typeof WorkerThreads.Worker;
export let isMainThread: typeof WorkerThreads.isMainThread;
export let parentPort: typeof WorkerThreads.parentPort;
export let workerData: typeof WorkerThreads.workerData;

export function loadWorkerThreads(): void {
  ({ Worker, isMainThread, parentPort, workerData } = process.getBuiltinModule('node:worker_threads'));
}
