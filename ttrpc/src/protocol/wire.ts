/**
 * The little of protobuf's wire format that the envelopes need, written for the hot path: no allocation but the
 * results. Payloads are left to protobuf-es.
 */

import { NameCache } from './names.ts';

export const WireType = { VARINT: 0, FIXED64: 1, BYTES: 2, START_GROUP: 3, END_GROUP: 4, FIXED32: 5 } as const;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const decodeText = (bytes: Uint8Array) => utf8.decode(bytes);
const names = new NameCache();

/** Nested groups a hostile message may open before it is refused. */
const MAX_GROUP_DEPTH = 100;

/** Reads fields off a message. Every method throws a RangeError or TypeError on bytes that are not a message. */
export class WireReader {
  readonly bytes: Uint8Array;
  position: number;
  readonly end: number;

  constructor(bytes: Uint8Array, position = 0, end = bytes.length) {
    this.bytes = bytes;
    this.position = position;
    this.end = end;
  }

  get atEnd(): boolean {
    return this.position >= this.end;
  }

  /** A field's tag: number << 3 | wire type. */
  tag(): number {
    const tag = this.varint32();
    if (tag >>> 3 === 0) throw new RangeError('field number 0');
    return tag;
  }

  /** A varint cut to its low 32 bits, unsigned. */
  varint32(): number {
    const first = this.bytes[this.position]!;
    if (this.position < this.end && first < 0x80) {
      this.position++;
      return first;
    }
    return this.#varint().low;
  }

  /** A signed 64-bit varint as a number: exact up to 2^53, of the right sign and size above. */
  int64(): number {
    const { low, high } = this.#varint();
    return (high | 0) * 0x1_0000_0000 + low;
  }

  /** Length-delimited bytes as a view. */
  view(): Uint8Array {
    const length = this.varint32();
    const start = this.position;
    if (length > this.end - start) throw new RangeError(`field of ${length} bytes, ${this.end - start} left`);
    this.position = start + length;
    return this.bytes.subarray(start, this.position);
  }

  /** Length-delimited text; throws on bytes that are not UTF-8. */
  text(): string {
    const length = this.varint32();
    const start = this.position;
    this.#advance(length);
    return names.get(this.bytes, start, this.position, decodeText);
  }

  /** Skips the value of a field nobody knows. */
  skip(tag: number, depth = 0): void {
    switch (tag & 7) {
      case WireType.VARINT:
        this.#varint();
        return;
      case WireType.FIXED64:
        this.#advance(8);
        return;
      case WireType.BYTES:
        this.#advance(this.varint32());
        return;
      case WireType.FIXED32:
        this.#advance(4);
        return;
      case WireType.START_GROUP:
        if (depth >= MAX_GROUP_DEPTH) throw new RangeError('groups nested too deep');
        for (;;) {
          const inner = this.tag();
          if ((inner & 7) === WireType.END_GROUP) {
            if (inner >>> 3 !== tag >>> 3) throw new RangeError(`group ${tag >>> 3} ended as ${inner >>> 3}`);
            return;
          }
          this.skip(inner, depth + 1);
        }
      default:
        throw new RangeError(`wire type ${tag & 7} of field ${tag >>> 3}`);
    }
  }

  #advance(length: number): void {
    if (length > this.end - this.position) throw new RangeError(`${length} bytes, ${this.end - this.position} left`);
    this.position += length;
  }

  #varint(): { low: number; high: number } {
    let low = 0;
    let high = 0;
    for (let i = 0; i < 10; i++) {
      if (this.position >= this.end) throw new RangeError('varint cut off');
      const byte = this.bytes[this.position++]!;
      const bits = byte & 0x7f;
      if (i < 4) low |= bits << (7 * i);
      else if (i === 4) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (7 * i - 32);
      if (byte < 0x80) return { low: low >>> 0, high: high >>> 0 };
    }
    throw new RangeError('varint longer than 10 bytes');
  }
}

/** Bytes a 32-bit varint takes. */
export function varintLength(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}

/** Writes an unsigned 32-bit varint and returns the offset behind it. */
export function writeVarint(into: Uint8Array, offset: number, value: number): number {
  let rest = value;
  let at = offset;
  while (rest >= 0x80) {
    into[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  into[at++] = rest;
  return at;
}

/** A 64-bit varint on its own, for the rare field that needs one. */
export function varint64(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
