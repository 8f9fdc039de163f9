import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fstatSync,
  lchownSync,
  openSync,
  readSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { O_CLOEXEC, openat2, RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS } from '@kata-mock/posix';
import { openDirectoryBelow } from '../safe-path.ts';
import { type Entry, sameEntry, type Tree } from './scan.ts';

/** A name no config map can have: its keys are letters, digits, `-`, `_` and `.`. */
const PARTIAL = '..kata mock partial';

/**
 * Makes one directory the copy of another, change by change, in the order of a kubelet: what is new is there before a
 * link leads to it, a file or link is replaced in one step, and what has gone goes last.
 * @param source descriptor of the directory that is copied
 * @param target path of the copy; nothing in it is followed
 * @param copied what the copy has; kept true step by step, so that a pass which fails half-way is taken up by the next
 */
export function mirror(source: number, target: string, copied: Map<string, Entry>, now: Tree): void {
  const gone = [...copied].filter(([name, { kind }]) => now.get(name)?.kind !== kind).reverse();
  const replaced = gone.flatMap(([name]) => (now.has(name) ? [`${name}/`] : []));
  const isInTheWay = (name: string) => replaced.some((place) => `${name}/`.startsWith(place));
  const discard = (names: [string, Entry][]) => {
    for (const [name, entry] of names) {
      remove(target, name, entry);
      copied.delete(name);
    }
  };
  const make = (kind: Entry['kind'], how: (name: string, entry: Entry) => void) => {
    const changed = [...now].filter(([name, entry]) => entry.kind === kind && !sameEntry(entry, copied.get(name)));
    for (const [name, entry] of changed.sort(hiddenFirst)) {
      how(name, entry);
      copied.set(name, entry);
    }
  };
  discard(gone.filter(([name]) => isInTheWay(name)));
  make('directory', (name, entry) => makeDirectory(target, name, entry));
  make('file', (name, entry) => copy(source, target, name, entry));
  make('link', (name, entry) => makeLink(target, name, entry));
  discard(gone.filter(([name]) => !isInTheWay(name)));
}

/** `..data` leads to the new files before a link through it appears. */
function hiddenFirst([a]: [string, Entry], [b]: [string, Entry]): number {
  return Number(!path.basename(a).startsWith('..')) - Number(!path.basename(b).startsWith('..'));
}

function makeDirectory(target: string, name: string, entry: Entry): void {
  const fd = openDirectoryBelow(target, path.join(target, name));
  try {
    // chown and chmod of this name are of the directory itself.
    const place = `/proc/self/fd/${fd}`;
    chownSync(place, entry.uid, entry.gid);
    chmodSync(place, entry.mode);
  } finally {
    closeSync(fd);
  }
}

function copy(source: number, target: string, name: string, entry: Entry): void {
  inParent(target, name, (place, partial) => {
    const resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
    const from = openat2(source, name, { flags: constants.O_RDONLY | constants.O_NONBLOCK | O_CLOEXEC, resolve });
    try {
      const to = openSync(partial, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
      try {
        // Never more than was counted: a file that grows meanwhile is copied again.
        if (fstatSync(from).isFile()) copyBytes(from, to, entry.size);
      } finally {
        closeSync(to);
      }
    } finally {
      closeSync(from);
    }
    lchownSync(partial, entry.uid, entry.gid);
    chmodSync(partial, entry.mode);
    renameSync(partial, place);
  });
}

function copyBytes(from: number, to: number, most: number): void {
  const piece = Buffer.alloc(Math.min(most, 65_536));
  for (let done = 0; done < most; ) {
    const read = readSync(from, piece, 0, Math.min(piece.length, most - done), done);
    if (read === 0) return;
    for (let written = 0; written < read; ) written += writeSync(to, piece, written, read - written);
    done += read;
  }
}

function makeLink(target: string, name: string, entry: Entry): void {
  inParent(target, name, (place, partial) => {
    symlinkSync(entry.target, partial);
    lchownSync(partial, entry.uid, entry.gid);
    renameSync(partial, place);
  });
}

function remove(target: string, name: string, { kind }: Entry): void {
  inParent(target, name, (place) => {
    if (kind === 'directory') rmdirSync(place);
    else unlinkSync(place);
  });
}

/** Works on one name in its parent, by a descriptor. What a failed step began is taken away. */
function inParent(target: string, name: string, work: (place: string, partial: string) => void): void {
  const parent = openDirectoryBelow(target, path.dirname(path.join(target, name)));
  const at = (child: string) => `/proc/self/fd/${parent}/${child}`;
  try {
    work(at(path.basename(name)), at(PARTIAL));
  } finally {
    rmSync(at(PARTIAL), { force: true });
    closeSync(parent);
  }
}
