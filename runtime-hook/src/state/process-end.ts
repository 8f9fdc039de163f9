import { closeSync } from 'node:fs';
import { isAlive, type ProcessIdentity } from '../vm/process/identity.ts';

/** Tells once when a process has ended; at once when it has already. The returned function stops the watch. */
export async function onProcessEnd(identity: ProcessIdentity, ended: () => void): Promise<() => void> {
  const { FdWatcher, pidfdOpen } = await import('@kata-mock/posix');
  let pidfd: number;
  try {
    pidfd = pidfdOpen(identity.pid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    ended();
    return () => {};
  }
  // Looked at after the descriptor is open: from here on it cannot become another process.
  if (!isAlive(identity)) {
    closeSync(pidfd);
    ended();
    return () => {};
  }
  let open = true;
  const close = () => {
    if (!open) return;
    open = false;
    watcher.close();
    closeSync(pidfd);
  };
  const watcher = new FdWatcher(pidfd, {
    readable: () => {
      close();
      ended();
    },
  });
  watcher.watch({ readable: true });
  return close;
}

/** Asks a process to end, and ends it when it has not after `graceMs`. Resolves when it is gone. */
export async function endProcess(identity: ProcessIdentity, graceMs: number): Promise<void> {
  const gone = new Promise<void>((resolve, reject) => {
    onProcessEnd(identity, resolve).catch(reject);
  });
  signal(identity, 'SIGTERM');
  const timer = setTimeout(() => signal(identity, 'SIGKILL'), graceMs);
  await gone;
  clearTimeout(timer);
}

function signal(identity: ProcessIdentity, name: NodeJS.Signals): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
