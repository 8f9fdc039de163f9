import { HEADER_LENGTH, MAX_BODY_LENGTH, readUint32 } from './frame.ts';

export interface FrameSink {
  /** `body` may be a view of the bytes that were pushed: copy what must outlive the call. */
  frame(streamId: number, type: number, flags: number, body: Uint8Array): void;
  /** A body over the limit: its bytes were dropped, the next frame is intact. Called once all of it has passed. */
  oversize(streamId: number, type: number, flags: number, length: number): void;
}

/**
 * Bytes in, frames out, no socket. Takes any split of the byte stream. Allocates at most one body, of a length that
 * was checked against the limit before.
 */
export class FrameDecoder {
  readonly #sink: FrameSink;
  readonly #limit: number;

  /** Header bytes so far, while a header is split between two pushes. */
  readonly #header = new Uint8Array(HEADER_LENGTH);
  #headerLength = 0;
  /** Body under construction, while a body is split; undefined while its bytes are being dropped. */
  #body: Uint8Array | undefined;
  #bodyLength = 0;
  /** Bytes of the current body still to come. */
  #missing = 0;
  #stopped = false;
  #held = false;

  constructor(sink: FrameSink, limit: number = MAX_BODY_LENGTH) {
    this.#sink = sink;
    this.#limit = limit;
  }

  /** Whether the bytes so far end between two frames: an end of file elsewhere has cut a frame. */
  get atBoundary(): boolean {
    return this.#headerLength === 0;
  }

  /** Drops everything from now on, the rest of the bytes being pushed included. */
  stop(): void {
    this.#stopped = true;
  }

  /** Called by a sink that wants no further frame for now: the push under way returns what it has not taken. */
  hold(): void {
    this.#held = true;
  }

  /** Takes bytes and hands on their frames. Returns the bytes a sink has held back, to be pushed again before others. */
  push(bytes: Uint8Array): Uint8Array | undefined {
    this.#held = false;
    let offset = this.#headerLength > 0 ? this.#resume(bytes) : 0;
    const end = bytes.length;
    while (offset < end && !this.#stopped) {
      if (this.#held) return bytes.subarray(offset);
      if (end - offset < HEADER_LENGTH) {
        this.#header.set(bytes.subarray(offset));
        this.#headerLength = end - offset;
        return undefined;
      }
      const length = readUint32(bytes, offset);
      const bodyEnd = offset + HEADER_LENGTH + length;
      if (bodyEnd <= end && length <= this.#limit) {
        // The usual case: a whole frame in the bytes at hand, handed on without a copy.
        const body = bytes.subarray(offset + HEADER_LENGTH, bodyEnd);
        this.#sink.frame(readUint32(bytes, offset + 4), bytes[offset + 8]!, bytes[offset + 9]!, body);
        offset = bodyEnd;
        continue;
      }
      this.#header.set(bytes.subarray(offset, offset + HEADER_LENGTH));
      this.#headerLength = HEADER_LENGTH;
      this.#begin(length);
      offset = this.#fill(bytes, offset + HEADER_LENGTH);
    }
    return undefined;
  }

  /** Goes on with a frame that an earlier push began; returns the offset behind what it took. */
  #resume(bytes: Uint8Array): number {
    let offset = 0;
    if (this.#headerLength < HEADER_LENGTH) {
      offset = Math.min(HEADER_LENGTH - this.#headerLength, bytes.length);
      this.#header.set(bytes.subarray(0, offset), this.#headerLength);
      this.#headerLength += offset;
      if (this.#headerLength < HEADER_LENGTH) return offset;
      this.#begin(readUint32(this.#header, 0));
    }
    return this.#fill(bytes, offset);
  }

  #begin(length: number): void {
    this.#bodyLength = length;
    this.#missing = length;
    this.#body = length <= this.#limit ? Buffer.allocUnsafe(length) : undefined;
  }

  #fill(bytes: Uint8Array, offset: number): number {
    const take = Math.min(this.#missing, bytes.length - offset);
    this.#body?.set(bytes.subarray(offset, offset + take), this.#bodyLength - this.#missing);
    this.#missing -= take;
    if (this.#missing === 0) this.#finish();
    return offset + take;
  }

  #finish(): void {
    const body = this.#body;
    this.#body = undefined;
    this.#headerLength = 0;
    const streamId = readUint32(this.#header, 4);
    const type = this.#header[8]!;
    const flags = this.#header[9]!;
    if (body === undefined) this.#sink.oversize(streamId, type, flags, this.#bodyLength);
    else this.#sink.frame(streamId, type, flags, body);
  }
}
