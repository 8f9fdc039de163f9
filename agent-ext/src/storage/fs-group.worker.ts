/** Walks a volume of any depth with a few descriptors: each step is by one, from the directory before. */
import { chmodSync, closeSync, constants, fstatSync, lchownSync, lstatSync, opendirSync, openSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

export interface Give {
  /** Descriptor of the volume's root; the starter's to close. */
  readonly root: number;
  readonly group: number;
}

const SETGID = 0o2000;
const OPEN = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** A directory on the way down to the current one. */
interface Level {
  readonly inode: bigint;
  readonly device: bigint;
  /** Directories in it that are to come. */
  readonly left: string[];
}

const { root, group } = workerData as Give;
const levels: Level[] = [];
let current = openSync(`/proc/self/fd/${root}`, OPEN & ~constants.O_NOFOLLOW);
try {
  enter();
  while (levels.length > 0) {
    const next = levels.at(-1)?.left.pop();
    if (next !== undefined) descend(next);
    else ascend();
  }
} finally {
  closeSync(current);
}

/** Gives away the current directory and the files in it; its directories are left for later. */
function enter(): void {
  const place = `/proc/self/fd/${current}`;
  const { ino, dev, mode } = fstatSync(current, { bigint: true });
  lchownSync(`${place}/.`, -1, group);
  chmodSync(place, Number(mode & 0o7777n) | SETGID | 0o070);
  const left: string[] = [];
  const directory = opendirSync(place);
  try {
    for (let entry = directory.readSync(); entry; entry = directory.readSync()) {
      const file = `${place}/${entry.name}`;
      const stat = lstatSync(file);
      if (stat.isDirectory()) left.push(entry.name);
      else {
        lchownSync(file, -1, group);
        if (!stat.isSymbolicLink()) chmodSync(file, (stat.mode & 0o7777) | 0o060);
      }
    }
  } finally {
    directory.closeSync();
  }
  levels.push({ inode: ino, device: dev, left });
}

function descend(name: string): void {
  move(name);
  enter();
}

/** Back to the directory above, which must be the one that was left: someone may move directories meanwhile. */
function ascend(): void {
  levels.pop();
  const above = levels.at(-1);
  if (!above) return;
  move('..');
  const { ino, dev } = fstatSync(current, { bigint: true });
  if (ino !== above.inode || dev !== above.device) throw new Error('a directory of it was moved meanwhile');
}

function move(name: string): void {
  const next = openSync(`/proc/self/fd/${current}/${name}`, OPEN);
  closeSync(current);
  current = next;
}
