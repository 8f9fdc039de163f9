import { readdirSync } from 'node:fs';
import { PciError } from './errors.ts';

export interface DirectoryEntry {
  readonly name: string;
  readonly isDirectory: boolean;
}

/**
 * Names in a directory, in order. A name that is not UTF-8 is an error (code NOT_UTF8) that quotes it, not a name
 * with replacement characters, which would look like a device that is not there.
 */
export function readNames(directory: string): string[] {
  const names = readdirSync(directory);
  // What is not UTF-8 reads as this character; so does itself, which the bytes tell apart.
  const isSure = names.every((name) => !name.includes('\ufffd'));
  return (isSure ? names : readdirSync(directory, 'buffer').map((name) => utf8(name, directory))).sort();
}

/** The same with what is a directory and what is not. */
export function readEntries(directory: string): DirectoryEntry[] {
  const entries = readdirSync(directory, { withFileTypes: true, encoding: 'buffer' }) as unknown as {
    name: Buffer;
    isDirectory(): boolean;
  }[];
  return entries
    .map((entry) => ({ name: utf8(entry.name, directory), isDirectory: entry.isDirectory() }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** Names in a directory, none where it does not exist. */
export function readNamesIfAny(directory: string): string[] {
  return ifAny(() => readNames(directory));
}

/** Entries of a directory, none where it does not exist. */
export function readEntriesIfAny(directory: string): DirectoryEntry[] {
  return ifAny(() => readEntries(directory));
}

function ifAny<T>(read: () => T[]): T[] {
  try {
    return read();
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

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function utf8(name: Buffer, directory: string): string {
  try {
    return decoder.decode(name);
  } catch (cause) {
    throw new PciError('NOT_UTF8', `entry ${JSON.stringify(name.toString('latin1'))} of ${directory} is not UTF-8`, {
      cause,
    });
  }
}
