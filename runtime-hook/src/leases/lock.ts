import { closeSync, constants, openSync } from 'node:fs';

/**
 * Runs something while no other process runs something under the same lock file. The kernel lets go of the lock when
 * its holder dies. Held for a few file operations only, so waiting for it may block.
 */
export async function withLock<Result>(file: string, run: () => Result): Promise<Result> {
  // Only here: the common way needs no lock, and no native library.
  const { flock, LOCK_EX } = await import('@kata-mock/posix');
  const fd = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    flock(fd, LOCK_EX);
    return run();
  } finally {
    closeSync(fd);
  }
}
