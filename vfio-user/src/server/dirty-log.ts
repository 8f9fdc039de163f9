import { protocolError } from '../protocol/index.ts';

/** Pages are logged in this size, the smallest a client may ask for: so none belongs to two regions. */
const PAGE_SHIFT = 12n;
const PAGE = 4096;
/** Pages of one bitmap: 128 MiB of guest memory in 4 KiB. */
const BITMAP_PAGES = 32768;

/** Pages the device wrote since they were last reported. */
export class DirtyLog {
  /** What the client asked for. */
  readonly pageBytes: number;
  readonly #bitmaps = new Map<number, Uint8Array>();

  constructor(pageBytes: number) {
    requirePageSize('DMA_LOGGING_START', pageBytes);
    this.pageBytes = pageBytes;
  }

  mark(address: bigint, length: number): void {
    if (length === 0) return;
    const last = pageOf(address + BigInt(length) - 1n);
    for (let page = pageOf(address); page <= last; page++) {
      const key = Math.floor(page / BITMAP_PAGES);
      let bitmap = this.#bitmaps.get(key);
      if (!bitmap) {
        bitmap = new Uint8Array(BITMAP_PAGES / 8);
        this.#bitmaps.set(key, bitmap);
      }
      bitmap[(page % BITMAP_PAGES) >> 3]! |= 1 << (page & 7);
    }
  }

  /** Bitmap of the range in pages of `pageBytes`; reported pages are clean afterwards. */
  take(address: bigint, size: bigint, pageBytes: number, bytes: number): Uint8Array {
    requirePageSize('dirty bitmap', pageBytes);
    const result = new Uint8Array(bytes);
    const first = pageOf(address);
    const pages = pageBytes / PAGE;
    this.#clear(address, size, (page) => {
      const bit = Math.floor((page - first) / pages);
      result[bit >> 3]! |= 1 << (bit & 7);
    });
    return result;
  }

  /** What is mapped there next was not written yet. */
  forget(address: bigint, size: bigint): void {
    this.#clear(address, size, () => {});
  }

  /** Tells of the dirty pages of a range, and makes them clean. */
  #clear(address: bigint, size: bigint, visit: (page: number) => void): void {
    const [first, last] = [pageOf(address), pageOf(address + size - 1n)];
    for (const [key, bitmap] of this.#bitmaps) {
      const start = key * BITMAP_PAGES;
      const [from, to] = [Math.max(first - start, 0), Math.min(last - start, BITMAP_PAGES - 1)];
      for (let page = from; page <= to; page++) {
        const byte = bitmap[page >> 3]!;
        if (byte === 0) page |= 7;
        else if ((byte & (1 << (page & 7))) !== 0) {
          bitmap[page >> 3] = byte & ~(1 << (page & 7));
          visit(start + page);
        }
      }
      if (from === 0 && to === BITMAP_PAGES - 1) this.#bitmaps.delete(key);
    }
  }
}

/** Numbers of pages are exact as numbers: they have 52 bits. */
function pageOf(address: bigint): number {
  return Number(address >> PAGE_SHIFT);
}

function requirePageSize(what: string, pageBytes: number): void {
  if (pageBytes < PAGE || !Number.isSafeInteger(pageBytes) || (BigInt(pageBytes) & BigInt(pageBytes - 1)) !== 0n)
    throw protocolError(`${what}: page size ${pageBytes} is no power of two of ${PAGE} or more`);
}
