import { SetupError } from './errors.ts';

/** One member of a cpio archive in the "newc" format (Documentation/driver-api/early-userspace/buffer-format.rst). */
export interface CpioEntry {
  /** Path without a leading slash. */
  name: string;
  type: 'file' | 'directory' | 'symlink' | 'character';
  /** Permission bits. */
  mode: number;
  /** Bytes of a file, target of a symlink. */
  data?: Uint8Array | string;
  /** Major and minor number of a character device. */
  device?: [number, number];
}

const TYPE_BITS = { file: 0o100000, directory: 0o040000, symlink: 0o120000, character: 0o020000 };
/** The kernel refuses longer names (PATH_MAX). */
const MAX_NAME = 4096;

/** Writes an archive: every member owned by root with the same time, so equal input gives equal bytes. */
export function writeCpio(entries: readonly CpioEntry[], mtime: number): Buffer {
  const parts = entries.flatMap((entry, index) => member(entry, index + 1, mtime));
  parts.push(...member({ name: 'TRAILER!!!', type: 'file', mode: 0 }, 0, 0, true));
  return Buffer.concat(parts);
}

function member(entry: CpioEntry, inode: number, mtime: number, trailer = false): Buffer[] {
  if (!trailer && (entry.name === '' || entry.name.startsWith('/') || entry.name.length >= MAX_NAME)) {
    throw new SetupError('BAD_ARCHIVE', `member name ${JSON.stringify(entry.name)} is empty, absolute or too long`);
  }
  const data = Buffer.from(entry.data ?? '');
  const name = Buffer.from(`${entry.name}\0`);
  const [major, minor] = entry.device ?? [0, 0];
  const mode = trailer ? 0 : TYPE_BITS[entry.type] | entry.mode;
  const links = entry.type === 'directory' ? 2 : 1;
  const fields = [inode, mode, 0, 0, links, mtime, data.length, 0, 0, major, minor, name.length, 0];
  const header = Buffer.from(`070701${fields.map((value) => value.toString(16).padStart(8, '0')).join('')}`, 'latin1');
  return [header, name, padding(header.length + name.length), data, padding(data.length)];
}

const padding = (length: number) => Buffer.alloc(-length & 3);
