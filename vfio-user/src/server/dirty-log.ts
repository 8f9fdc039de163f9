import { protocolError } from '../protocol/index.ts';

/** Pages the device wrote since they were last reported. */
export class DirtyLog {
  readonly pageBytes: number;
  readonly #shift: bigint;
  readonly #pages = new Set<bigint>();

  constructor(pageBytes: number) {
    if (pageBytes < 4096 || !Number.isSafeInteger(pageBytes) || (BigInt(pageBytes) & BigInt(pageBytes - 1)) !== 0n)
      throw protocolError(`DMA_LOGGING_START: page size ${pageBytes} is no power of two of 4096 or more`);
    this.pageBytes = pageBytes;
    this.#shift = BigInt(Math.log2(pageBytes));
  }

  mark(address: bigint, length: number): void {
    if (length === 0) return;
    const last = (address + BigInt(length) - 1n) >> this.#shift;
    for (let page = address >> this.#shift; page <= last; page++) this.#pages.add(page);
  }

  /** Bitmap of the range in pages of `pageBytes`; reported pages are clean afterwards. */
  take(address: bigint, size: bigint, pageBytes: bigint, bytes: number): Uint8Array {
    const bitmap = new Uint8Array(bytes);
    const own = BigInt(this.pageBytes);
    for (const page of [...this.#pages]) {
      const start = page * own;
      if (start + own <= address || start >= address + size) continue;
      const from = start > address ? start - address : 0n;
      const to = start + own < address + size ? start + own - address : size;
      for (let bit = from / pageBytes; bit * pageBytes < to; bit++) bitmap[Number(bit >> 3n)]! |= 1 << Number(bit & 7n);
      this.#pages.delete(page);
    }
    return bitmap;
  }
}
