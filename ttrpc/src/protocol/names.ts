/** Texts longer than this are decoded each time. */
const MAX_LENGTH = 64;
/** A power of two. */
const SLOTS = 256;

interface Slot {
  bytes: Uint8Array;
  text: string;
}

/**
 * Remembers texts that come again and again, as the names in requests do: recognising bytes costs a tenth of decoding
 * them. A table of fixed size, whatever a peer sends; a slot keeps the text that came last.
 */
export class NameCache {
  readonly #slots = new Array<Slot | undefined>(SLOTS);

  /** The text of the bytes from `start` to `end`; `decode` is asked when they are new. */
  get(bytes: Uint8Array, start: number, end: number, decode: (bytes: Uint8Array) => string): string {
    const length = end - start;
    if (length === 0) return '';
    if (length > MAX_LENGTH) return decode(bytes.subarray(start, end));
    const middle = bytes[start + (length >>> 1)]!;
    const index = (length * 31 + bytes[start]! * 7 + middle * 13 + bytes[end - 1]! * 17) & (SLOTS - 1);
    const slot = this.#slots[index];
    if (slot !== undefined && same(slot.bytes, bytes, start, length)) return slot.text;
    const text = decode(bytes.subarray(start, end));
    this.#slots[index] = { bytes: Uint8Array.prototype.slice.call(bytes, start, end), text };
    return text;
  }
}

function same(known: Uint8Array, bytes: Uint8Array, start: number, length: number): boolean {
  if (known.length !== length) return false;
  for (let i = 0; i < length; i++) if (known[i] !== bytes[start + i]) return false;
  return true;
}
