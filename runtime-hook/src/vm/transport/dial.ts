import { setTimeout as delay } from 'node:timers/promises';

/** The shim's dial loop has no pause; a little one costs nothing and leaves the CPU to the guest. */
const pauseMs = 25;

/** Tries until it works or `signal` says stop; then the last failure is the cause. */
export async function dial<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      try {
        await delay(pauseMs, undefined, { signal });
      } catch {
        throw signal.reason instanceof Error ? Object.assign(signal.reason, { cause: error }) : error;
      }
    }
  }
}
