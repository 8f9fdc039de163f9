import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { KataMockError } from '../errors.ts';
import { withLock } from '../leases/lock.ts';
import { isAlive, type ProcessIdentity } from '../vm/process/identity.ts';

/**
 * A VM's directory holds its device sockets, control socket, state and log. It appears complete with its owner in it
 * (made under another name and renamed, which fails when the name is taken), so one without a living owner is a
 * leftover and may be removed.
 */
const ownerFile = 'owner.json';

/** `<run dir>/vm/<short>`: 12 hex digits for the sandbox's id, since a socket's path has room for 107 bytes only. */
export function vmDirectory(runDirectory: string, sandboxId: string): string {
  return path.join(vmsDirectory(runDirectory), createHash('sha256').update(sandboxId).digest('hex').slice(0, 12));
}

export function vmsDirectory(runDirectory: string): string {
  return path.join(runDirectory, 'vm');
}

/** Makes the directory for its owner, in the place of a dead one's. Throws IN_USE while another owner lives. */
export async function makeVmDirectory(
  runDirectory: string,
  sandboxId: string,
  owner: ProcessIdentity,
): Promise<string> {
  const directory = vmDirectory(runDirectory, sandboxId);
  const draft = path.join(vmsDirectory(runDirectory), `.new-${owner.pid}`);
  mkdirSync(draft, { recursive: true, mode: 0o700 });
  writeFileSync(path.join(draft, ownerFile), JSON.stringify(owner), { mode: 0o600 });
  try {
    for (;;) {
      try {
        renameSync(draft, directory);
        return directory;
      } catch (error) {
        if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      }
      if (!(await removeIfDead(runDirectory, directory))) {
        throw new KataMockError(
          'IN_USE',
          `sandbox "${sandboxId}" has a device host already (pid ${vmOwner(directory)?.pid})`,
          {
            hint: 'end that sandbox, or use another name',
          },
        );
      }
    }
  } catch (error) {
    removeFlat(draft);
    throw error;
  }
}

/** The device host's process; undefined for a directory that is none of ours. */
export function vmOwner(directory: string): ProcessIdentity | undefined {
  try {
    const { pid, startTime } = JSON.parse(readFileSync(path.join(directory, ownerFile), 'utf8')) as ProcessIdentity;
    return Number.isSafeInteger(pid) && typeof startTime === 'string' ? { pid, startTime } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the device host of this directory runs. */
export function isVmAlive(directory: string): boolean {
  const owner = vmOwner(directory);
  return owner !== undefined && isAlive(owner);
}

/** Directories of all VMs, whether their device hosts live or not. */
export function vmDirectories(runDirectory: string): string[] {
  return entries(vmsDirectory(runDirectory))
    .filter((name) => !name.startsWith('.'))
    .map((name) => path.join(vmsDirectory(runDirectory), name));
}

/** Directories that were being made when their makers died. */
export function deadDrafts(runDirectory: string): string[] {
  return entries(vmsDirectory(runDirectory))
    .filter((name) => name.startsWith('.new-'))
    .map((name) => path.join(vmsDirectory(runDirectory), name))
    .filter((directory) => !isVmAlive(directory));
}

/** Removes a directory whose owner is dead, or `self`. False when another living one has it by now. */
export function removeIfDead(runDirectory: string, directory: string, self?: ProcessIdentity): Promise<boolean> {
  return withLock(path.join(vmsDirectory(runDirectory), '.lock'), () => {
    if (isVmAlive(directory) && vmOwner(directory)?.pid !== self?.pid) return false;
    // Moved away first: the name is free at once, and a half removed directory is never mistaken for a whole one.
    const doomed = path.join(vmsDirectory(runDirectory), `.old-${path.basename(directory)}`);
    removeFlat(doomed);
    try {
      renameSync(directory, doomed);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    removeFlat(doomed);
    return true;
  });
}

/** Nothing of ours is deeper than one level, so nothing that someone mounted or put there can be followed. */
function removeFlat(directory: string): void {
  for (const name of entries(directory)) rmSync(path.join(directory, name), { force: true });
  try {
    rmdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

function entries(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
