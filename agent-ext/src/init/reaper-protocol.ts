/** Value of the shared turn counter that ends the worker. */
export const REAPER_STOP = -1;

/** What the main thread gives the worker: a counter it raises when the worker shall look again. */
export interface ReaperShared {
  readonly turn: SharedArrayBuffer;
}
