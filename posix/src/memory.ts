import { constants } from 'node:buffer';
import { closeSync, ftruncateSync } from 'node:fs';
import { refuse, word } from './errors.ts';
import { bind, check, failure } from './libc.ts';
import { native } from './native.ts';

export const F_SEAL_SEAL = 0x1;
export const F_SEAL_SHRINK = 0x2;
export const F_SEAL_GROW = 0x4;
export const F_SEAL_WRITE = 0x8;

export const PROT_NONE = 0;
export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const MAP_SHARED = 1;
export const MAP_PRIVATE = 2;

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const F_ADD_SEALS = 1033;
const F_GET_SEALS = 1034;
const MADV_DONTDUMP = 16;

const memfdFunction = bind('memfd_create', ['string', 'uint']);
const fcntlFunction = bind('fcntl', ['int', 'int', 'long']);
const mmapFunction = bind('mmap', ['int64_t', 'size_t', 'int', 'int', 'int', 'int64_t'], 'long');
const madviseFunction = bind('madvise', ['int64_t', 'size_t', 'int']);
const munmapFunction = bind('munmap', ['int64_t', 'size_t']);

/** Memory with a descriptor: `size` bytes, sealable. `seal` fixes its size for good, so that no peer can shrink it below a mapping. */
export function memfdCreate(name: string, options: { size?: number; seal?: boolean } = {}): number {
  const fd = check('memfd_create', memfdFunction, [name, MFD_CLOEXEC | MFD_ALLOW_SEALING], [name]);
  try {
    if (options.size) ftruncateSync(fd, options.size);
    if (options.seal) addSeals(fd, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return fd;
}

export function ftruncate(fd: number, length: number): void {
  ftruncateSync(fd, length);
}

export function addSeals(fd: number, seals: number): void {
  check('fcntl', fcntlFunction, [fd, F_ADD_SEALS, seals], [fd, word('F_ADD_SEALS'), seals]);
}

/** Seals of a memfd; EINVAL for a file that cannot have any. */
export function getSeals(fd: number): number {
  return check('fcntl', fcntlFunction, [fd, F_GET_SEALS, 0], [fd, word('F_GET_SEALS')]);
}

/**
 * Mapped memory. `bytes` is the memory itself, not a copy.
 *
 * {@link unmap} gives the addresses back at once, and an array someone kept stays harmless: it is an empty one from then
 * on. What is not harmless: a file that shrinks below the mapping (access ends the process with SIGBUS; look at
 * {@link getSeals} for F_SEAL_SHRINK where the peer is not trusted), and writing to a mapping made without PROT_WRITE
 * (SIGSEGV).
 */
export interface Mapping {
  readonly bytes: Uint8Array;
  unmap(): void;
}

export interface MapOptions {
  /** Default PROT_READ | PROT_WRITE. */
  prot?: number;
  /** Default MAP_SHARED. */
  flags?: number;
  /** Bytes; a multiple of the page size. */
  offset?: number;
  /** False keeps the memory out of core dumps. Default true. */
  dump?: boolean;
}

/** Maps `length` bytes of a descriptor; 4 GiB at most, the longest array Node 20 has. */
export function mmap(fd: number, length: number, options: MapOptions = {}): Mapping {
  const { prot = PROT_READ | PROT_WRITE, flags = MAP_SHARED, offset = 0, dump = true } = options;
  const quoted = [0, length, prot, flags, fd, offset];
  if (!Number.isSafeInteger(length) || length <= 0) throw refuse('mmap', 'EINVAL', quoted, 'length must be positive');
  if (length > constants.MAX_LENGTH) {
    throw refuse('mmap', 'EOVERFLOW', quoted, `one array holds ${constants.MAX_LENGTH} bytes; map the range in pieces`);
  }
  const start = mmapFunction(0, length, prot, flags, fd, offset);
  if (start === -1) throw failure('mmap', quoted);
  // What cannot be kept out of a dump can still be used.
  if (!dump) madviseFunction(start, length, MADV_DONTDUMP);
  return new MappedRange(start, length);
}

class MappedRange implements Mapping {
  readonly bytes: Uint8Array;
  readonly #start: number;
  readonly #length: number;
  #mapped = true;

  constructor(start: number, length: number) {
    this.#start = start;
    this.#length = length;
    const buffer = native().view(start, length);
    this.bytes = new Uint8Array(buffer);
    collected.register(buffer, { start, length }, this);
  }

  unmap(): void {
    if (!this.#mapped) return;
    this.#mapped = false;
    collected.unregister(this);
    native().detach(this.bytes.buffer as ArrayBuffer);
    check('munmap', munmapFunction, [this.#start, this.#length]);
  }
}

/** For mappings that nobody unmapped. Only a thread that comes back to its event loop learns what was collected. */
const collected = new FinalizationRegistry<{ start: number; length: number }>(({ start, length }) => {
  munmapFunction(start, length);
});

const mallocTrimFunction = bind('malloc_trim', ['size_t']);

/** Gives memory that the C library has free back to the kernel, in every thread's arena: malloc_trim(3). */
export function mallocTrim(): void {
  mallocTrimFunction(0);
}
