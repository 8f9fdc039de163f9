import { watch } from 'node:fs';

export interface PendingChange {
  /** Resolves at the first change, at the latest after `ms`, or when the signal aborts. */
  within(ms: number): Promise<void>;
  close(): void;
}

/** Starts watching a directory now, so a change between looking and waiting is not lost. It need not exist. */
export function nextChange(directory: string, signal?: AbortSignal): PendingChange {
  let changed = false;
  let wake = () => {};
  const notice = () => {
    changed = true;
    wake();
  };
  const watcher = openWatch(directory, notice);
  signal?.addEventListener('abort', notice);
  return {
    within: (ms) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
        if (changed || signal?.aborted) wake();
      }),
    close: () => {
      watcher?.close();
      signal?.removeEventListener('abort', notice);
    },
  };
}

function openWatch(directory: string, notice: () => void) {
  try {
    const watcher = watch(directory, notice);
    // A watch that breaks (directory removed, no more watches) only costs speed.
    watcher.on('error', notice);
    return watcher;
  } catch {
    return undefined;
  }
}
