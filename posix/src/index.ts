export { startWorker, workerUrl } from './worker.ts';
