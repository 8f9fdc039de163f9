/** The mock accelerator, which tells of its thread what is in use after a collection; loaded by a host, see live.ts. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createMockAccel } from '../mock-accel/mock-accel.ts';
import type { VfioDevice } from '../server/device.ts';

/** Bytes in use. */
export interface MemoryUse {
  /** Of this thread: objects and buffers. */
  heap: number;
  /** Of the whole process, with what native code took. */
  resident: number;
}

/** @public A host imports it by its URL. */
export default function measuredDevice(options: Record<string, unknown>): VfioDevice {
  const device: VfioDevice = createMockAccel(options);
  device.control = memoryUse;
  return device;
}

/** What this thread and the process still use when this thread's garbage is gone. */
export function memoryUse(): MemoryUse {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // Buffers are freed beside the first collection; the second waits for that.
  collect();
  collect();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, resident: rss };
}
