/**
 * Looks for ended children without taking them: waitid with WNOWAIT. After each find it waits for the main thread,
 * which alone knows whom Node itself waits for.
 */

import { parentPort, workerData } from 'node:worker_threads';
import { P_ALL, PosixError, WEXITED, WNOWAIT, waitid } from '@kata-mock/posix';
import { REAPER_STOP, type ReaperShared } from './reaper-protocol.ts';

const { turn } = workerData as ReaperShared;
const cells = new Int32Array(turn);

for (;;) {
  const seen = Atomics.load(cells, 0);
  if (seen === REAPER_STOP) break;
  parentPort?.postMessage(look());
  Atomics.wait(cells, 0, seen);
}

/** Blocks until a child has ended; undefined when there is none at all. */
function look(): number | undefined {
  try {
    return waitid(P_ALL, 0, WEXITED | WNOWAIT)?.pid;
  } catch (error) {
    if (error instanceof PosixError && error.code === 'ECHILD') return undefined;
    throw error;
  }
}
