import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { run } from './command.ts';

/**
 * Artefacts by content: `<build>/<kind>/<hash of the inputs>/`. Made in `<build>/tmp/` and renamed when complete, so a
 * killed run leaves no half artefact, and two runs at once at worst do the same work twice.
 */
export interface Artefact {
  path: string;
  /** It was there already. */
  reused: boolean;
}

export class Store {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  pathOf(kind: string, hash: string): string {
    return path.join(this.root, kind, hash);
  }

  /** Returns the artefact of these inputs, made by `make` in an empty folder if it is not there yet. */
  async produce(kind: string, hash: string, make: (folder: string) => Promise<void>): Promise<Artefact> {
    const target = this.pathOf(kind, hash);
    if (await exists(target)) return { path: target, reused: true };
    const folder = path.join(this.root, 'tmp', `${process.pid}-${kind}-${hash}`);
    await removeTree(folder);
    await mkdir(folder, { recursive: true });
    await mkdir(path.dirname(target), { recursive: true });
    try {
      await make(folder);
      await rename(folder, target).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error; // else another run was first
      });
    } finally {
      await removeTree(folder);
    }
    return { path: target, reused: false };
  }

  /** Removes what killed runs left in tmp; what a living process works on stays. */
  async sweep(): Promise<void> {
    for (const name of await list(path.join(this.root, 'tmp'))) {
      const owner = Number.parseInt(name, 10);
      if (owner === process.pid || isAlive(owner)) continue;
      await removeTree(path.join(this.root, 'tmp', name));
    }
  }

  /** Removes the artefacts of a kind except those named. */
  async prune(kind: string, keep: readonly string[]): Promise<void> {
    for (const name of await list(path.join(this.root, kind))) {
      if (!keep.includes(name)) await removeTree(path.join(this.root, kind, name));
    }
  }
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

async function list(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Extracted roots belong to root, so a plain rm may be refused to another user. */
export async function removeTree(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
    await run('rm', ['-rf', '--one-file-system', '--', folder], { root: true });
  }
}
