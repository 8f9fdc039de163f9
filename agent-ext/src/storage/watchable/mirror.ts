import { constants } from 'node:fs';
import { chmod, chown, lchown, open, rename, rm, rmdir, symlink, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openat2Async, RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS } from '@kata-mock/posix';
import { atPlace, openDirectoryBelow } from '../safe-path.ts';
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
export async function mirror(source: number, target: string, copied: Map<string, Entry>, now: Tree): Promise<void> {
  const gone = [...copied].filter(([name, { kind }]) => now.get(name)?.kind !== kind).reverse();
  const replaced = gone.flatMap(([name]) => (now.has(name) ? [`${name}/`] : []));
  const isInTheWay = (name: string) => replaced.some((place) => `${name}/`.startsWith(place));
  const discard = async (names: [string, Entry][]) => {
    for (const [name, entry] of names) {
      await remove(target, name, entry);
      copied.delete(name);
    }
  };
  const make = async (kind: Entry['kind'], how: (name: string, entry: Entry) => Promise<void>) => {
    const changed = [...now].filter(([name, entry]) => entry.kind === kind && !sameEntry(entry, copied.get(name)));
    for (const [name, entry] of changed.sort(hiddenFirst)) {
      await how(name, entry);
      copied.set(name, entry);
    }
  };
  await discard(gone.filter(([name]) => isInTheWay(name)));
  await make('directory', (name, entry) => makeDirectory(target, name, entry));
  await make('file', (name, entry) => copy(source, target, name, entry));
  await make('link', (name, entry) => makeLink(target, name, entry));
  await discard(gone.filter(([name]) => !isInTheWay(name)));
}

/** `..data` leads to the new files before a link through it appears. */
function hiddenFirst([a]: [string, Entry], [b]: [string, Entry]): number {
  return Number(!path.basename(a).startsWith('..')) - Number(!path.basename(b).startsWith('..'));
}

function makeDirectory(target: string, name: string, entry: Entry): Promise<void> {
  return atPlace(openDirectoryBelow(target, path.join(target, name)), async (place) => {
    // chown and chmod of this name are of the directory itself.
    await chown(place, entry.uid, entry.gid);
    await chmod(place, entry.mode);
  });
}

function copy(source: number, target: string, name: string, entry: Entry): Promise<void> {
  return inParent(target, name, async (place, partial) => {
    await writeFile(partial, await contentOf(source, name, entry.size), { flag: 'wx', mode: 0o600 });
    await lchown(partial, entry.uid, entry.gid);
    await chmod(partial, entry.mode);
    await rename(partial, place);
  });
}

/** Never more than was counted: a file that grows meanwhile is copied again. */
async function contentOf(source: number, name: string, size: number): Promise<Uint8Array> {
  const resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  const opening = openat2Async(source, name, { resolve });
  const file = await atPlace(opening, (place) => open(place, constants.O_RDONLY | constants.O_NONBLOCK));
  try {
    if (!(await file.stat()).isFile()) return new Uint8Array();
    const bytes = Buffer.alloc(size);
    let done = 0;
    for (let read = -1; read !== 0 && done < size; done += read) {
      ({ bytesRead: read } = await file.read(bytes, done, size - done, done));
    }
    return bytes.subarray(0, done);
  } finally {
    await file.close();
  }
}

function makeLink(target: string, name: string, entry: Entry): Promise<void> {
  return inParent(target, name, async (place, partial) => {
    await symlink(entry.target, partial);
    await lchown(partial, entry.uid, entry.gid);
    await rename(partial, place);
  });
}

function remove(target: string, name: string, { kind }: Entry): Promise<void> {
  return inParent(target, name, (place) => (kind === 'directory' ? rmdir(place) : unlink(place)));
}

/** Works on one name in its parent, by a descriptor. What a failed step began is taken away. */
function inParent(
  target: string,
  name: string,
  work: (place: string, partial: string) => Promise<void>,
): Promise<void> {
  const parent = path.dirname(path.join(target, name));
  return atPlace(openDirectoryBelow(target, parent), async (directory) => {
    const partial = `${directory}/${PARTIAL}`;
    try {
      await work(`${directory}/${path.basename(name)}`, partial);
    } finally {
      await rm(partial, { force: true });
    }
  });
}
