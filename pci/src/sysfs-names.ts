import { readdirSync } from 'node:fs';
import { PciError } from './errors.ts';

export interface DirectoryEntry {
  readonly name: string;
  readonly isDirectory: boolean;
}

/**
 * Entries of a directory in name order. A name that is not UTF-8 is an error (code NOT_UTF8) that quotes it, not a name
 * with replacement characters, which would look like a device that is not there.
 */
export function readEntries(directory: string): DirectoryEntry[] {
  const entries = readdirSync(directory, { withFileTypes: true, encoding: 'buffer' }) as unknown as {
    name: Buffer;
    isDirectory(): boolean;
  }[];
  return entries
    .map((entry) => ({ name: utf8(entry.name, directory), isDirectory: entry.isDirectory() }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** The same, and an empty list where the directory does not exist. */
export function readEntriesIfAny(directory: string): DirectoryEntry[] {
  try {
    return readEntries(directory);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Whether a system call failed because a path does not exist (or runs through something that is no directory). */
export function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

const decoder = new TextDecoder('utf-8', { fatal: true });

function utf8(name: Buffer, directory: string): string {
  try {
    return decoder.decode(name);
  } catch (cause) {
    throw new PciError('NOT_UTF8', `entry ${JSON.stringify(name.toString('latin1'))} of ${directory} is not UTF-8`, {
      cause,
    });
  }
}
