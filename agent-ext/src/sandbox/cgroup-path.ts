import { readFileSync } from 'node:fs';

/** A process's cgroup below /sys/fs/cgroup (version 2), as the agent sees it; undefined once the process is gone. */
export function cgroupOf(pid: number): string | undefined {
  try {
    return /^0::(\/.+)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}
