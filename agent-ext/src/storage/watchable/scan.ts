import type { BigIntStats } from 'node:fs';
import { lstat, opendir, readlink } from 'node:fs/promises';
import path from 'node:path';
import { AgentError } from '../../errors.ts';

/** Something in a watched directory. Two that are equal in every field hold the same. */
export interface Entry {
  readonly kind: 'directory' | 'file' | 'link';
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of files; 0 for others. */
  readonly size: number;
  /** Which file it is and when it was written last; of directories neither counts. */
  readonly version: string;
  /** Text of a link; empty for others. */
  readonly target: string;
}

/** Path from the watched directory to what is there; parents come before children. The directory itself is `''`. */
export type Tree = ReadonlyMap<string, Entry>;

export interface Limits {
  /** Files, directories and links together, without the watched directory itself. */
  readonly entries: number;
  /** Of all files together. */
  readonly bytes: number;
}

/**
 * Reads what is in a directory, without its files' content. Links are read and never followed. Undefined when there is
 * more than the limits.
 * @param root descriptor of the directory
 * @throws AgentError INVALID_ARGUMENT for a link that leads out of the directory, or what is none of the three kinds
 */
export async function scan(root: number, limits: Limits): Promise<Tree | undefined> {
  const tree = new Map<string, Entry>();
  const queue = [''];
  let bytes = 0;
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const place = `/proc/self/fd/${root}/${name}`;
    const entry = await entryOf(name, await lstat(place, { bigint: true }), place);
    tree.set(name, entry);
    bytes += entry.size;
    if (entry.kind === 'directory')
      for (const child of await names(place, limits.entries)) queue.push(path.join(name, child));
    if (tree.size - 1 + queue.length > limits.entries || bytes > limits.bytes) return undefined;
  }
  return tree;
}

/** Names in a directory, of a huge one only as many as are too many. */
async function names(place: string, most: number): Promise<string[]> {
  const directory = await opendir(place);
  const found: string[] = [];
  try {
    for (let next = await directory.read(); next && found.length <= most; next = await directory.read()) {
      found.push(next.name);
    }
  } finally {
    await directory.close();
  }
  return found;
}

async function entryOf(name: string, stat: BigIntStats, place: string): Promise<Entry> {
  const { mode, uid, gid } = stat;
  const common = { mode: Number(mode & 0o7777n), uid: Number(uid), gid: Number(gid), size: 0, version: '', target: '' };
  if (stat.isDirectory()) return { ...common, kind: 'directory' };
  if (stat.isFile()) {
    return { ...common, kind: 'file', size: Number(stat.size), version: `${stat.ino} ${stat.mtimeNs} ${stat.size}` };
  }
  if (!stat.isSymbolicLink()) {
    throw new AgentError('INVALID_ARGUMENT', `cannot watch ${JSON.stringify(name)}: no file, directory or link`);
  }
  const target = await readlink(place);
  const from = path.join('/', path.dirname(name));
  // A plain relative path that has more `..` than directories above it leads out.
  const climbs = path.relative('/', from).split('/').filter(Boolean).length;
  const ups = path
    .normalize(target)
    .split('/')
    .filter((part) => part === '..').length;
  if (path.isAbsolute(target) || ups > climbs) {
    const message = `cannot watch ${JSON.stringify(name)}: it is a link out of its directory, to ${JSON.stringify(target)}`;
    throw new AgentError('INVALID_ARGUMENT', message);
  }
  return { ...common, mode: 0o777, kind: 'link', target };
}

export function sameEntry(a: Entry, b: Entry | undefined): boolean {
  return b !== undefined && JSON.stringify(a) === JSON.stringify(b);
}
