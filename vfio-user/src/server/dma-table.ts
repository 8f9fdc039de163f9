import { fstatSync } from 'node:fs';
import { VfioUserError } from '../errors.ts';
import {
  type DmaMap,
  DmaMapFlag,
  Errno,
  MAX_DMA_MAPS,
  MAX_DMA_REGION_BYTES,
  PAGE_BYTES,
  protocolError,
} from '../protocol/index.ts';
import { ClientDescriptors } from './client-descriptors.ts';
import type { DirtyLog } from './dirty-log.ts';
import { assertLocalFile } from './dma-file.ts';
import { DmaRegion } from './dma-region.ts';

/** Reaches memory the client gave no descriptor for. */
export interface DmaMessages {
  /** `check` is called before each message; it throws when the access must not go on. */
  read(address: bigint, target: Uint8Array, check: () => void): void;
  write(address: bigint, source: Uint8Array, check: () => void): void;
}

/** One piece of a scatter-gather list. */
export interface DmaSegment {
  address: bigint;
  /** Bytes. */
  length: number;
}

const KNOWN_FLAGS = DmaMapFlag.READ | DmaMapFlag.WRITE | DmaMapFlag.MMAP | DmaMapFlag.FILE_IO;
const PAGE = BigInt(PAGE_BYTES);
const END_OF_SPACE = 1n << 64n;

/** The client's memory as the device sees it. Regions are disjoint and sorted by address. */
export class DmaTable {
  /** Set while a client is connected. */
  messages: DmaMessages | undefined;
  /** Set while dirty page logging is on. */
  dirty: DirtyLog | undefined;
  /** A fault hook: throws to make the next access fail. */
  check: ((address: bigint, length: number, write: boolean) => void) | undefined;
  readonly #regions: DmaRegion[] = [];
  readonly maxRegions: number;
  readonly #descriptors: ClientDescriptors;
  #enabled = true;
  /** Counts what ended all accesses under way. */
  #generation = 0;
  /** Set while a task runs: the generation it was put off in. */
  #taskGeneration: number | undefined;

  constructor(maxRegions: number = MAX_DMA_MAPS, descriptors = new ClientDescriptors()) {
    this.maxRegions = maxRegions;
    this.#descriptors = descriptors;
  }

  /** False while the device may not master the bus; the PCI kit follows the command register. */
  get enabled(): boolean {
    return this.#enabled;
  }

  set enabled(on: boolean) {
    if (this.#enabled && !on) this.interrupt();
    this.#enabled = on;
  }

  /** Ends the accesses under way, and those to come of tasks that were put off before: the device was reset or stopped. */
  interrupt(): void {
    this.#generation++;
  }

  /** A task whose accesses fail once {@link interrupt} was called. */
  taskOf(work: () => void): () => void {
    const generation = this.#taskGeneration ?? this.#generation;
    return () => this.#during(generation, work);
  }

  /** Runs what belongs to no task, though one waits for it: the client's commands. */
  outsideTask(work: () => void): void {
    this.#during(undefined, work);
  }

  #during(generation: number | undefined, work: () => void): void {
    const outer = this.#taskGeneration;
    this.#taskGeneration = generation;
    try {
      work();
    } finally {
      this.#taskGeneration = outer;
    }
  }

  get regions(): readonly DmaRegion[] {
    return this.#regions;
  }

  /**
   * Adds a region, of which a client may have agreed to have `most`. Returns whether `fd` was taken over; it is still the
   * caller's when this throws or returns false.
   */
  map(map: DmaMap, fd: number | undefined, most = this.maxRegions): boolean {
    const { flags, address, size, offset } = map;
    if ((flags & ~KNOWN_FLAGS) !== 0) throw protocolError(`DMA_MAP: unknown flags 0x${flags.toString(16)}`);
    const direct = flags & (DmaMapFlag.MMAP | DmaMapFlag.FILE_IO);
    if (direct === (DmaMapFlag.MMAP | DmaMapFlag.FILE_IO)) throw protocolError('DMA_MAP: both MMAP and FILE_IO');
    if (direct !== 0 && fd === undefined) throw protocolError('DMA_MAP: MMAP or FILE_IO without a descriptor');
    if (size === 0n) throw protocolError('DMA_MAP: size 0');
    if (address % PAGE !== 0n || size % PAGE !== 0n)
      throw protocolError(`DMA_MAP: ${size} bytes at 0x${address.toString(16)} are no whole pages of ${PAGE_BYTES}`);
    if (address + size > END_OF_SPACE || offset + size > END_OF_SPACE / 2n)
      throw protocolError('DMA_MAP: the range wraps around');
    if (size > MAX_DMA_REGION_BYTES) throw protocolError(`DMA_MAP: ${size} bytes in one region`, Errno.ENOSPC);
    if (fd !== undefined) assertLocalFile(fd);
    const index = this.#firstEndingAfter(address);
    const next = this.#regions[index];
    if (next && next.address < address + size) {
      if (next.address === address && next.size === size && sameMapping(next, map, fd)) return false;
      const exact = next.address === address && next.size === size;
      throw protocolError('DMA_MAP: overlaps a mapped region', exact ? Errno.EINVAL : Errno.EEXIST);
    }
    const limit = Math.min(most, this.maxRegions);
    if (this.#regions.length >= limit) throw protocolError(`DMA_MAP: more than ${limit} regions`);
    if (fd !== undefined) this.#descriptors.require(1);
    this.#regions.splice(index, 0, new DmaRegion(map, fd));
    if (fd !== undefined) this.#descriptors.add(fd);
    return fd !== undefined;
  }

  /**
   * Removes the regions inside the range; ENOENT when there are none, EINVAL when one would be cut. A virtual IOMMU
   * makes clients unmap ranges that hold several regions.
   */
  unmap(address: bigint, size: bigint): void {
    const end = address + size;
    const first = this.#firstEndingAfter(address);
    let last = first;
    while (last < this.#regions.length && this.#regions[last]!.address < end) last++;
    const inside = this.#regions.slice(first, last);
    if (inside.length === 0) throw protocolError('DMA_UNMAP: no such region', Errno.ENOENT);
    if (inside[0]!.address < address || inside.at(-1)!.end > end)
      throw protocolError('DMA_UNMAP: the range cuts a region', Errno.ENOENT);
    this.#regions.splice(first, last - first);
    for (const region of inside) this.#close(region);
  }

  unmapAll(): void {
    for (const region of this.#regions.splice(0)) this.#close(region);
  }

  /** Region with exactly this range. */
  exact(address: bigint, size: bigint): DmaRegion | undefined {
    const region = this.#regions[this.#firstEndingAfter(address)];
    return region?.address === address && region.size === size ? region : undefined;
  }

  /** The region that holds all of this range. */
  containing(address: bigint, size: bigint): DmaRegion | undefined {
    const region = this.#regions[this.#firstEndingAfter(address)];
    return region && region.address <= address && address + size <= region.end ? region : undefined;
  }

  /** Copies guest memory at `address` into `target`. */
  read(address: bigint, target: Uint8Array): void {
    this.#access(address, target, false);
  }

  /** Copies `source` to guest memory at `address`. */
  write(address: bigint, source: Uint8Array): void {
    this.#access(address, source, true);
  }

  /** Reads a scatter-gather list into one array. The caller bounds the lengths. */
  gather(segments: readonly DmaSegment[]): Uint8Array {
    const bytes = new Uint8Array(segments.reduce((sum, segment) => sum + segment.length, 0));
    let at = 0;
    for (const { address, length } of segments) {
      this.read(address, bytes.subarray(at, at + length));
      at += length;
    }
    return bytes;
  }

  /** Writes one array to a scatter-gather list; as many bytes as the list has room for. */
  scatter(segments: readonly DmaSegment[], bytes: Uint8Array): void {
    let at = 0;
    for (const { address, length } of segments) {
      this.write(address, bytes.subarray(at, at + length));
      at += length;
    }
  }

  #close(region: DmaRegion): void {
    this.dirty?.forget(region.address, region.size);
    if (region.fd !== undefined) this.#descriptors.remove(region.fd);
    region.close();
  }

  #access(address: bigint, bytes: Uint8Array, write: boolean): void {
    if (!this.#enabled) throw new VfioUserError('DMA', 'bus mastering is off', { errno: Errno.ENODEV });
    const generation = this.#taskGeneration ?? this.#generation;
    this.#checkCurrent(generation);
    this.check?.(address, bytes.length, write);
    // All pieces are looked up before the first byte moves, so that a refused access changes nothing.
    const pieces: { region: DmaRegion; address: bigint; part: Uint8Array }[] = [];
    let at = address;
    for (let done = 0; done < bytes.length; ) {
      const region = this.#regions[this.#firstEndingAfter(at)];
      if (!region || region.address > at) throw dmaError(at, 'is not mapped', Errno.ENOENT);
      if (write ? !region.writable : !region.readable)
        throw dmaError(at, write ? 'may not be written' : 'may not be read', Errno.EACCES);
      const rest = region.end - at;
      const count = BigInt(bytes.length - done) < rest ? bytes.length - done : Number(rest);
      pieces.push({ region, address: at, part: bytes.subarray(done, done + count) });
      done += count;
      at += BigInt(count);
    }
    for (const [index, { region, address: from, part }] of pieces.entries()) {
      const check = () => {
        this.#checkCurrent(generation);
        this.#checkMapped(region);
      };
      if (index > 0) check();
      if (region.mode === 'message') {
        if (write) this.#messages().write(from, part, check);
        else this.#messages().read(from, part, check);
        // What came in the meantime is not for a device that was reset.
        this.#checkCurrent(generation);
      } else if (write) {
        region.write(from, part);
        this.dirty?.mark(from, part.length);
      } else region.read(from, part);
    }
  }

  /** While a DMA message waits for its answer, the client's commands are served: an unmap too. */
  #checkMapped(region: DmaRegion): void {
    if (this.#regions[this.#firstEndingAfter(region.address)] !== region)
      throw dmaError(region.address, 'was unmapped during the access', Errno.ENOENT);
  }

  /** And a reset, a stop, or the end of bus mastering. */
  #checkCurrent(generation: number): void {
    if (generation !== this.#generation)
      throw new VfioUserError('DMA', 'the device was reset or stopped, or lost the bus, since the access was begun', {
        errno: Errno.ENODEV,
      });
  }

  #messages(): DmaMessages {
    if (!this.messages)
      throw new VfioUserError('DISCONNECTED', 'no client for a DMA message', { errno: Errno.ENOTCONN });
    return this.messages;
  }

  /** Index of the first region that ends after `address`. */
  #firstEndingAfter(address: bigint): number {
    let low = 0;
    let high = this.#regions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#regions[middle]!.end > address) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

function dmaError(address: bigint, what: string, errno: number): VfioUserError {
  return new VfioUserError('DMA', `guest address 0x${address.toString(16)} ${what}`, { errno });
}

function sameMapping(region: DmaRegion, map: DmaMap, fd: number | undefined): boolean {
  if (region.offset !== map.offset || region.flags !== map.flags) return false;
  if (region.fd === undefined || fd === undefined) return region.fd === fd;
  const [a, b] = [fstatSync(region.fd), fstatSync(fd)];
  return a.dev === b.dev && a.ino === b.ino;
}
