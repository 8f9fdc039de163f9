import type { Duplex } from 'node:stream';
import {
  encodeStatusResponse,
  payloadFieldLength,
  writeRequestPayloadTag,
  writeResponsePayloadTag,
} from '../protocol/envelope.ts';
import { FrameType, HEADER_LENGTH, writeHeader } from '../protocol/frame.ts';

/** Bytes of the buffer that small frames are written into one behind the other. */
const SLAB_LENGTH = 64 * 1024;

/** Payloads up to this many bytes are copied into the slab; larger ones are written from where they are. */
const COPY_LIMIT = 8 * 1024;

/** Bytes that are written out at once instead of at the end of the turn: the peer can work while this side goes on. */
const FLUSH_LENGTH = 16 * 1024;

/**
 * Frames out, in batches: what is written in one turn of the event loop leaves together, at the end of that turn (a
 * nextTick, so behind the handlers' promises and before any I/O), or in batches of 16 KiB when it is much.
 */
export class FrameWriter {
  readonly #duplex: Duplex;
  #slab = Buffer.allocUnsafeSlow(SLAB_LENGTH);
  /** The part of the slab that waits to be written: from #start to #position. */
  #start = 0;
  #position = 0;
  /** What waits in front of that part. */
  #chunks: Uint8Array[] = [];
  #waiting = 0;
  #scheduled = false;
  #room: Promise<void> | undefined;

  constructor(duplex: Duplex) {
    this.#duplex = duplex;
  }

  /** Bytes taken that the peer's side has not: those of this turn and those the socket holds. */
  get queued(): number {
    return this.#waiting + this.#duplex.writableLength;
  }

  /** Undefined when there is room, else a promise of it (or of the connection's end). */
  room(): Promise<void> | undefined {
    const duplex = this.#duplex;
    if (!duplex.writableNeedDrain || duplex.destroyed) return undefined;
    this.#room ??= new Promise((resolve) => {
      const done = () => {
        duplex.off('drain', done);
        duplex.off('close', done);
        this.#room = undefined;
        resolve();
      };
      duplex.on('drain', done);
      duplex.on('close', done);
    });
    return this.#room;
  }

  /** A request: the method as `encodeMethod` gives it, the tail as `encodeRequestTail` does. */
  request(id: number, flags: number, method: Uint8Array, payload: Uint8Array, tail: Uint8Array | undefined): void {
    const tailLength = tail === undefined ? 0 : tail.length;
    const length = method.length + payloadFieldLength(payload) + tailLength;
    const slab = this.#reserve(HEADER_LENGTH + method.length + 6);
    let at = writeHeader(slab, this.#position, length, id, FrameType.REQUEST, flags);
    slab.set(method, at);
    at += method.length;
    if (payload.length > 0) at = writeRequestPayloadTag(slab, at, payload.length);
    this.#take(at);
    this.#body(payload);
    if (tail !== undefined) this.#body(tail);
    this.#written();
  }

  /** A response without status: success. */
  response(id: number, payload: Uint8Array): void {
    const slab = this.#reserve(HEADER_LENGTH + 6);
    let at = writeHeader(slab, this.#position, payloadFieldLength(payload), id, FrameType.RESPONSE, 0);
    if (payload.length > 0) at = writeResponsePayloadTag(slab, at, payload.length);
    this.#take(at);
    this.#body(payload);
    this.#written();
  }

  /** A response with an encoded google.rpc.Status. */
  failure(id: number, status: Uint8Array): void {
    this.frame(id, FrameType.RESPONSE, 0, encodeStatusResponse(status));
  }

  data(id: number, flags: number, payload: Uint8Array): void {
    this.frame(id, FrameType.DATA, flags, payload);
  }

  frame(id: number, type: number, flags: number, body: Uint8Array): void {
    const slab = this.#reserve(HEADER_LENGTH);
    this.#take(writeHeader(slab, this.#position, body.length, id, type, flags));
    this.#body(body);
    this.#written();
  }

  /** Writes out what waits, now. */
  flush(): void {
    this.#scheduled = false;
    this.#waiting = 0;
    if (this.#position > this.#start) {
      const rest = this.#slab.subarray(this.#start, this.#position);
      this.#start = this.#position;
      if (this.#chunks.length === 0) {
        if (this.#duplex.writable) this.#duplex.write(rest);
        return;
      }
      this.#chunks.push(rest);
    }
    const chunks = this.#chunks;
    if (chunks.length === 0) return;
    this.#chunks = [];
    if (!this.#duplex.writable) return;
    this.#duplex.cork();
    for (const chunk of chunks) this.#duplex.write(chunk);
    this.#duplex.uncork();
  }

  readonly #flush = (): void => {
    if (this.#scheduled) this.flush();
  };

  /** The slab, with at least `length` free bytes at #position. */
  #reserve(length: number): Buffer {
    if (!this.#scheduled) {
      this.#scheduled = true;
      process.nextTick(this.#flush);
    }
    if (SLAB_LENGTH - this.#position < length) {
      this.#seal();
      // The socket may still hold views of the old one, so it is left to the collector.
      this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB_LENGTH, length));
      this.#start = 0;
      this.#position = 0;
    }
    return this.#slab;
  }

  #take(position: number): void {
    this.#waiting += position - this.#position;
    this.#position = position;
  }

  #body(bytes: Uint8Array): void {
    const length = bytes.length;
    if (length === 0) return;
    if (length > COPY_LIMIT) {
      this.#seal();
      this.#chunks.push(bytes);
      this.#waiting += length;
      return;
    }
    this.#reserve(length).set(bytes, this.#position);
    this.#take(this.#position + length);
  }

  #written(): void {
    if (this.#waiting >= FLUSH_LENGTH) this.flush();
  }

  #seal(): void {
    if (this.#position > this.#start) this.#chunks.push(this.#slab.subarray(this.#start, this.#position));
    this.#start = this.#position;
  }
}
