import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { CdiError } from '../errors.ts';
import { formatOf } from '../load/file.ts';
import { parseCdiSpec, type ReadOptions } from '../load/text.ts';
import type { CdiSpec } from '../types.ts';
import { formatCdiSpec } from './format.ts';
import { fileNameOf } from './names.ts';

export interface WriteOptions extends ReadOptions {
  /** Replace a file of this name. Default true. */
  overwrite?: boolean;
  /** Permission bits. Default 0644, so that rootless runtimes can read it; 0600 with `compat: 'go'`. */
  mode?: number;
  /** Wait until the file would survive a power cut. Default true. */
  durable?: boolean;
}

/**
 * Writes a spec so that a reader sees the old file or the new one and never a part: to a temporary file beside it, then
 * renamed. Makes the directory when it is missing.
 * @param name file name; `.yaml` is added unless it ends in `.json` or `.yaml`
 * @returns the path of the file
 * @throws {CdiError} INVALID, NAME, EXISTS or IO
 */
export function writeSpec(directory: string, name: string, spec: CdiSpec, options: WriteOptions = {}): string {
  const file = path.join(directory, fileNameOf(name));
  const format = formatOf(file) ?? 'yaml';
  const text = formatCdiSpec(spec, format);
  // What we write must be readable by the same rules.
  parseCdiSpec(text, format, options);
  const mode = options.mode ?? (options.compat === 'go' ? 0o600 : 0o644);
  const temporary = path.join(directory, `spec.${randomBytes(8).toString('hex')}.tmp`);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o755 });
    store(temporary, text, mode, options.durable !== false);
    publish(temporary, file, options.overwrite !== false);
    if (options.durable !== false) syncDirectory(directory);
  } catch (cause) {
    discard(temporary);
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST' && options.overwrite === false) {
      throw new CdiError('EXISTS', `${file} exists and is not to be overwritten`, { file, cause });
    }
    throw new CdiError('IO', `failed to write CDI spec ${file}: ${code ?? message}`, { file, cause });
  }
  return file;
}

/**
 * Removes a spec file; one that is not there is no error.
 * @throws {CdiError} NAME or IO
 */
export function removeSpec(directory: string, name: string): void {
  const file = path.join(directory, fileNameOf(name));
  try {
    rmSync(file, { force: true });
  } catch (cause) {
    throw new CdiError('IO', `failed to remove CDI spec ${file}: ${(cause as NodeJS.ErrnoException).code}`, {
      file,
      cause,
    });
  }
}

function store(file: string, text: string, mode: number, durable: boolean): void {
  const descriptor = openSync(file, 'wx', mode);
  try {
    const bytes = Buffer.from(text);
    for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
    // The umask of whoever calls is not the reader's business.
    fchmodSync(descriptor, mode);
    if (durable) fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function publish(temporary: string, file: string, overwrite: boolean): void {
  if (overwrite) {
    renameSync(temporary, file);
    return;
  }
  // Unlike rename, link refuses a name that is taken.
  linkSync(temporary, file);
  unlinkSync(temporary);
}

/** A temporary file that was never made, or cannot go, is not what went wrong. */
function discard(temporary: string): void {
  try {
    unlinkSync(temporary);
  } catch {}
}

function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
