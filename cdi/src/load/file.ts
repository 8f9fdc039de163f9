import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { CdiError } from '../errors.ts';
import type { CdiSpec } from '../types.ts';
import { parseCdiSpec, type ReadOptions } from './text.ts';

/** Largest file that is read at all. */
const MAX_BYTES = 32 * 1024 * 1024;

/** Tells whether a file is still the one that was read. */
export interface FileIdentity {
  inode: number;
  size: number;
  modified: number;
  changed: number;
}

/** A spec file as last read: a spec, or the reason why there is none. */
export interface LoadedFile {
  file: string;
  identity: FileIdentity | undefined;
  /** What was read, as far as it could be. */
  text: string | undefined;
  spec?: CdiSpec;
  error?: CdiError;
}

/** `json` and `yaml` by extension; other files are not CDI specs. */
export function formatOf(name: string): 'json' | 'yaml' | undefined {
  if (name.endsWith('.json')) return 'json';
  return name.endsWith('.yaml') ? 'yaml' : undefined;
}

/**
 * Reads a spec file.
 * @throws {CdiError} with `file` set
 */
export function readCdiSpec(file: string, options: ReadOptions = {}): CdiSpec {
  const loaded = loadFile(file, options);
  if (loaded.error) throw loaded.error;
  return loaded.spec as CdiSpec;
}

/** Reads a spec file; what goes wrong is in the result. */
export function loadFile(file: string, options: ReadOptions): LoadedFile {
  let identity: FileIdentity | undefined;
  let text = '';
  try {
    const content = readWhole(file);
    identity = content.identity;
    text = content.text;
    return { file, identity, text, spec: parseCdiSpec(text, formatOf(file) ?? 'yaml', options) };
  } catch (cause) {
    return { file, identity, text, error: fileError(file, text, cause) };
  }
}

export function identityOf(stats: Stats): FileIdentity {
  return { inode: stats.ino, size: stats.size, modified: stats.mtimeMs, changed: stats.ctimeMs };
}

export function sameIdentity(a: FileIdentity | undefined, b: FileIdentity | undefined): boolean {
  return (
    a !== undefined &&
    b !== undefined &&
    a.inode === b.inode &&
    a.size === b.size &&
    a.modified === b.modified &&
    a.changed === b.changed
  );
}

/**
 * Whether a file may change once more and still look the same: the kernel's clock for files ticks every few milliseconds.
 * (git calls such entries racy.)
 */
export function isFresh({ changed }: FileIdentity): boolean {
  const age = Date.now() - changed;
  return age < TICK_MS && age > -TICK_MS;
}

/** No kernel's tick is longer. */
const TICK_MS = 20;

let buffer = Buffer.allocUnsafe(64 * 1024);

/** Regular files only, and opened without waiting: a fifo named `x.json` must not stop the reader. */
function readWhole(file: string): { text: string; identity: FileIdentity } {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw new CdiError('IO', 'not a regular file');
    if (stats.size > MAX_BYTES) throw new CdiError('LIMIT', `${stats.size} bytes, ${MAX_BYTES} at most`);
    if (buffer.length < stats.size + 1) buffer = Buffer.allocUnsafe(stats.size + 1);
    // One byte more than there should be, so that a file which grows meanwhile is noticed; its rest comes with the next look.
    let length = 0;
    for (let count = -1; count !== 0 && length < stats.size; length += count) {
      count = readSync(descriptor, buffer, length, stats.size + 1 - length, length);
    }
    if (length > stats.size) throw new CdiError('IO', 'the file grew while it was read');
    const text = utf8(buffer.subarray(0, length));
    if (buffer.length > 1024 * 1024) buffer = Buffer.allocUnsafe(64 * 1024);
    return { text, identity: identityOf(stats) };
  } finally {
    closeSync(descriptor);
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true });

function utf8(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  if (!text.includes('\ufffd')) return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new CdiError('SYNTAX', 'the text is not valid UTF-8', { cause });
  }
}

function fileError(file: string, text: string, cause: unknown): CdiError {
  const kind = /["']?kind["']?\s*:\s*["']?([^\s"',{}]{1,320})/.exec(text)?.[1];
  const details = { file, cause, ...(kind !== undefined && { kind }) };
  if (!(cause instanceof CdiError)) {
    const { code, message } = cause as NodeJS.ErrnoException;
    return new CdiError('IO', `failed to load CDI spec ${file}: ${code ?? message}`, details);
  }
  const place = cause.path && cause.path !== '$' ? ` at ${cause.path}` : '';
  return new CdiError(cause.code, `failed to load CDI spec ${file}${place}: ${cause.message}`, {
    ...details,
    ...(cause.path !== undefined && { path: cause.path }),
  });
}
