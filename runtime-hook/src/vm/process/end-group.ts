import { setTimeout as delay } from 'node:timers/promises';

const pollMs = 2;

/** Kills a process group of ours and waits until nobody is left in it: its leader's children are not ours to wait for. */
export async function endGroup(leader: number, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (let signal: 'SIGKILL' | 0 = 'SIGKILL'; performance.now() < deadline; signal = 0) {
    try {
      process.kill(-leader, signal);
    } catch {
      return;
    }
    await delay(pollMs);
  }
}
