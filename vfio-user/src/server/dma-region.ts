import { closeSync, readSync, writeSync } from 'node:fs';
import { type Mapping, mmap, PROT_READ, PROT_WRITE } from '@kata-mock/posix';
import { VfioUserError } from '../errors.ts';
import { DmaMapFlag, Errno } from '../protocol/index.ts';
import { dmaFile } from './dma-file.ts';

/** How a region's memory is reached. */
export type DmaAccessMode =
  /** Through a mapping; only for files that cannot shrink. */
  | 'mmap'
  /** By pread and pwrite: a file that could shrink under a mapping would end the process with SIGBUS. */
  | 'file'
  /** By DMA_READ and DMA_WRITE messages. */
  | 'message';

/** One mapping's size; larger regions are mapped piece by piece as they are used. */
const WINDOW_BYTES = 1n << 30n;

/** One DMA region of the client. */
export class DmaRegion {
  readonly address: bigint;
  readonly size: bigint;
  readonly offset: bigint;
  readonly flags: number;
  readonly fd: number | undefined;
  readonly mode: DmaAccessMode;
  readonly #blockBytes: bigint;
  readonly #windows = new Map<bigint, Mapping>();

  /** Takes `fd` over only when it does not throw. */
  constructor(map: { address: bigint; size: bigint; offset: bigint; flags: number }, fd: number | undefined) {
    this.address = map.address;
    this.size = map.size;
    this.offset = map.offset;
    this.flags = map.flags;
    this.fd = fd;
    const file = fd === undefined ? undefined : dmaFile(fd, map);
    this.mode = file?.mode ?? 'message';
    this.#blockBytes = file?.blockBytes ?? 1n;
  }

  get end(): bigint {
    return this.address + this.size;
  }

  get readable(): boolean {
    return (this.flags & DmaMapFlag.READ) !== 0;
  }

  get writable(): boolean {
    return (this.flags & DmaMapFlag.WRITE) !== 0;
  }

  /** Reads `target.length` bytes at `address`, which lie inside the region. */
  read(address: bigint, target: Uint8Array): void {
    if (this.mode === 'mmap') this.#eachWindow(address, target, (memory, part) => part.set(memory));
    else this.#file(address, target, (fd, part, position) => readSync(fd, part, 0, part.length, position));
  }

  /** Writes `source` at `address`, inside the region. */
  write(address: bigint, source: Uint8Array): void {
    if (this.mode === 'mmap') this.#eachWindow(address, source, (memory, part) => memory.set(part));
    else this.#file(address, source, (fd, part, position) => writeSync(fd, part, 0, part.length, position));
  }

  close(): void {
    for (const window of this.#windows.values()) window.unmap();
    this.#windows.clear();
    if (this.fd !== undefined) closeSync(this.fd);
  }

  #eachWindow(address: bigint, bytes: Uint8Array, visit: (memory: Uint8Array, part: Uint8Array) => void): void {
    let position = this.offset + address - this.address;
    for (let done = 0; done < bytes.length; ) {
      const window = position / WINDOW_BYTES;
      const memory = this.#window(window);
      const at = Number(position - this.#windowStart(window));
      const count = Math.min(bytes.length - done, memory.length - at);
      visit(memory.subarray(at, at + count), bytes.subarray(done, done + count));
      done += count;
      position += BigInt(count);
    }
  }

  #windowStart(window: bigint): bigint {
    const start = window * WINDOW_BYTES;
    const first = (this.offset / this.#blockBytes) * this.#blockBytes;
    return start > first ? start : first;
  }

  #window(window: bigint): Uint8Array {
    const known = this.#windows.get(window);
    if (known) return known.bytes;
    const start = this.#windowStart(window);
    // Whole blocks: huge pages are mapped and unmapped in no smaller pieces.
    const block = this.#blockBytes;
    const blocksEnd = ((this.offset + this.size + block - 1n) / block) * block;
    const windowEnd = (window + 1n) * WINDOW_BYTES;
    const length = Number((blocksEnd < windowEnd ? blocksEnd : windowEnd) - start);
    const prot = (this.readable ? PROT_READ : 0) | (this.writable ? PROT_READ | PROT_WRITE : 0);
    const mapping = mmap(this.fd!, length, { prot, offset: Number(start), dump: false });
    this.#windows.set(window, mapping);
    return mapping.bytes;
  }

  #file(address: bigint, bytes: Uint8Array, access: (fd: number, part: Uint8Array, position: number) => number): void {
    let position = this.offset + address - this.address;
    for (let done = 0; done < bytes.length; ) {
      const count = access(this.fd!, bytes.subarray(done), Number(position));
      if (count <= 0)
        throw new VfioUserError('DMA', `the file behind guest memory ends before offset ${position}`, {
          errno: Errno.EFAULT,
        });
      done += count;
      position += BigInt(count);
    }
  }
}
