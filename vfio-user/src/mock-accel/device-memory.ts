import { closeSync, ftruncateSync, readSync, writeSync } from 'node:fs';
import { addSeals, F_SEAL_SEAL, F_SEAL_SHRINK, memfdCreate, seekData, seekHole } from '@kata-mock/posix';
import type { MemoryChanges, MigratableMemory, Region, RegionMemory } from '../server/device.ts';
import { DeviceMemoryChanges } from './memory-changes.ts';

/** Most of a large device memory is never touched: this much of it is real, bytes; the rest reads 0 and drops writes. */
const MAX_BACKED_BYTES = 1n << 36n;
const CLEAR_BYTES = 1 << 20;

/**
 * The accelerator's memory, a sparse memfd that costs what was written. It is made at its first use: a write, or a VMM
 * that looks for the aperture.
 */
export class DeviceMemory implements MigratableMemory {
  #size: bigint;
  #fd: number | undefined;

  constructor(size: bigint) {
    this.#size = size;
  }

  get size(): bigint {
    return this.#size;
  }

  /** Another size; what is beyond a smaller one is out of reach, and there again if it grows. */
  set size(size: bigint) {
    const before = this.#backed;
    this.#size = size;
    if (this.#fd !== undefined && this.#backed > before) ftruncateSync(this.#fd, this.#backed);
  }

  get #backed(): number {
    return Number(this.#size < MAX_BACKED_BYTES ? this.#size : MAX_BACKED_BYTES);
  }

  /** True when all of [offset, offset + length) is device memory. */
  contains(offset: bigint, length: number): boolean {
    return offset + BigInt(length) <= this.size;
  }

  read(offset: bigint, target: Uint8Array): void {
    target.fill(0);
    if (this.#fd === undefined || offset >= BigInt(this.#backed)) return;
    readSync(this.#fd, target, 0, target.length, Number(offset));
  }

  write(offset: bigint, source: Uint8Array): void {
    const room = BigInt(this.#backed) - offset;
    if (room <= 0n) return;
    const count = BigInt(source.length) < room ? source.length : Number(room);
    writeSync(this.fd, source, 0, count, Number(offset));
  }

  /** Where there is data, in order; all else is zero. */
  *extents(): Generator<{ start: number; end: number }> {
    if (this.#fd === undefined) return;
    for (let end = 0; ; ) {
      const start = seekData(this.#fd, end);
      if (start === undefined || start >= this.#backed) return;
      end = Math.min(seekHole(this.#fd, start) ?? this.#backed, this.#backed);
      yield { start, end };
    }
  }

  changes(): MemoryChanges {
    return new DeviceMemoryChanges(this);
  }

  /** The file cannot shrink, so it is overwritten. */
  clear(): void {
    const zeros = new Uint8Array(CLEAR_BYTES);
    for (const { start, end } of this.extents())
      for (let at = start; at < end; at += CLEAR_BYTES)
        writeSync(this.fd, zeros, 0, Math.min(CLEAR_BYTES, end - at), at);
  }

  /** The memfd, sealed against shrinking so that a VMM that maps it cannot be made to fault. */
  get fd(): number {
    if (this.#fd === undefined) {
      this.#fd = memfdCreate('mock-accel-memory', { size: this.#backed });
      addSeals(this.#fd, F_SEAL_SHRINK | F_SEAL_SEAL);
    }
    return this.#fd;
  }

  /** Gives the memory back. It is empty if it is used again, and shared with nobody who mapped it before. */
  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

/** BAR2: the start of device memory, mapped by the VMM or reached by messages. */
export class Aperture implements Region {
  readonly size: number;
  readonly #memory: DeviceMemory;

  constructor(memory: DeviceMemory, size: number) {
    this.size = size;
    this.#memory = memory;
  }

  get memory(): RegionMemory {
    return { fd: this.#memory.fd, offset: 0, areas: [{ offset: 0, size: this.size }] };
  }

  read(offset: number, target: Uint8Array, at: number, count: number): void {
    this.#memory.read(BigInt(offset), target.subarray(at, at + count));
  }

  write(offset: number, source: Uint8Array, at: number, count: number): void {
    this.#memory.write(BigInt(offset), source.subarray(at, at + count));
  }
}
