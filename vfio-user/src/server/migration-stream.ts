/**
 * The state of a device on its way to another process: records of type (u32), length (u32), payload, little-endian.
 * HEAD comes first and END last; MEMORY any number of times, a later piece replacing an earlier one; STATE and PENDING
 * once; SKIP says nothing. What comes in is hostile until it is checked: lengths are looked at before anything is kept.
 */
import { protocolError, viewOf } from '../protocol/index.ts';

export const RecordType = { HEAD: 1, MEMORY: 2, STATE: 3, PENDING: 4, END: 5, SKIP: 6 } as const;
export type RecordType = (typeof RecordType)[keyof typeof RecordType];

/** Bytes of device memory in one record, at most; also the piece whose change is noticed. */
export const PIECE_BYTES = 65_536;
const MAGIC = 0x474d_564b;
const VERSION = 1;
const RECORD_HEAD_BYTES = 8;
const HEAD_BYTES = 8;
const OFFSET_BYTES = 8;

/** The longest payload of each type. */
const limits: Record<number, number> = {
  [RecordType.HEAD]: HEAD_BYTES + 4096,
  [RecordType.MEMORY]: OFFSET_BYTES + PIECE_BYTES,
  [RecordType.STATE]: 1 << 20,
  [RecordType.PENDING]: 1 << 16,
  [RecordType.END]: 0,
  [RecordType.SKIP]: 1 << 20,
};
/** Those that may come again. */
const repeatable: ReadonlySet<number> = new Set([RecordType.MEMORY, RecordType.SKIP]);

/** A vector that was triggered and not delivered. */
export type Pending = [index: number, vector: number];

function record(type: RecordType, payload: number): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(RECORD_HEAD_BYTES + payload);
  const view = viewOf(bytes);
  view.setUint32(0, type, true);
  view.setUint32(4, payload, true);
  return { bytes, view };
}

/** `shape` is what both sides must have in common, as text. */
export function encodeHead(shape: string): Uint8Array {
  const text = Buffer.from(shape);
  const { bytes, view } = record(RecordType.HEAD, HEAD_BYTES + text.length);
  view.setUint32(RECORD_HEAD_BYTES, MAGIC, true);
  view.setUint32(RECORD_HEAD_BYTES + 4, VERSION, true);
  bytes.set(text, RECORD_HEAD_BYTES + HEAD_BYTES);
  return bytes;
}

export function encodeMemory(offset: bigint, data: Uint8Array): Uint8Array {
  const { bytes, view } = record(RecordType.MEMORY, OFFSET_BYTES + data.length);
  view.setBigUint64(RECORD_HEAD_BYTES, offset, true);
  bytes.set(data, RECORD_HEAD_BYTES + OFFSET_BYTES);
  return bytes;
}

export function encodeState(state: Uint8Array): Uint8Array {
  const { bytes } = record(RecordType.STATE, state.length);
  bytes.set(state, RECORD_HEAD_BYTES);
  return bytes;
}

export function encodePending(pending: readonly Pending[]): Uint8Array {
  const { bytes, view } = record(RecordType.PENDING, pending.length * 4);
  pending.forEach(([index, vector], at) => {
    view.setUint16(RECORD_HEAD_BYTES + at * 4, index, true);
    view.setUint16(RECORD_HEAD_BYTES + at * 4 + 2, vector, true);
  });
  return bytes;
}

export function encodeEnd(): Uint8Array {
  return record(RecordType.END, 0).bytes;
}

/** A record without meaning, of `bytes` in all if that is enough for its head. */
export function encodeSkip(bytes: number): Uint8Array {
  return record(RecordType.SKIP, Math.max(0, bytes - RECORD_HEAD_BYTES)).bytes;
}

/** Who takes what a stream brings, in its order. */
export interface StreamTarget {
  /** Throws when the state is that of another device. */
  head(shape: string): void;
  memory(offset: bigint, data: Uint8Array): void;
  /** The array is the target's to keep. */
  state(state: Uint8Array): void;
  pending(pending: Pending[]): void;
}

/** Takes a stream in pieces of any size. Every error is final. */
export class StreamReader {
  readonly #target: StreamTarget;
  readonly #seen = new Set<number>();
  readonly #head = new Uint8Array(RECORD_HEAD_BYTES);
  /** The payload under way; undefined while the head of a record is. */
  #payload: Uint8Array | undefined;
  #filled = 0;
  #ended = false;

  constructor(target: StreamTarget) {
    this.#target = target;
  }

  get isEmpty(): boolean {
    return this.#seen.size === 0 && this.#filled === 0 && this.#payload === undefined;
  }

  get isComplete(): boolean {
    return this.#ended;
  }

  push(data: Uint8Array): void {
    for (let at = 0; at < data.length; ) {
      if (this.#ended) throw refuse('something follows the end');
      const into = this.#payload ?? this.#head;
      const part = data.subarray(at, at + into.length - this.#filled);
      into.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === into.length) this.#filledUp();
    }
  }

  #filledUp(): void {
    const view = viewOf(this.#head);
    const type = view.getUint32(0, true);
    let payload = this.#payload;
    if (payload === undefined) {
      const length = view.getUint32(4, true);
      this.#check(type, length);
      payload = new Uint8Array(length);
      this.#payload = payload;
      this.#filled = 0;
      if (length > 0) return;
    }
    this.#payload = undefined;
    this.#filled = 0;
    this.#take(type as RecordType, payload);
  }

  #check(type: number, length: number): void {
    const limit = limits[type];
    if (limit === undefined) throw refuse(`no record type ${type}`);
    if (length > limit) throw refuse(`a record of type ${type} has ${length} bytes, at most ${limit} are right`);
    if (!this.#seen.has(RecordType.HEAD) && type !== RecordType.HEAD) throw refuse(`it begins with type ${type}`);
    if (!repeatable.has(type) && this.#seen.has(type)) throw refuse(`two records of type ${type}`);
  }

  #take(type: RecordType, payload: Uint8Array): void {
    this.#seen.add(type);
    const view = viewOf(payload);
    const target = this.#target;
    if (type === RecordType.HEAD) {
      if (payload.length < HEAD_BYTES || view.getUint32(0, true) !== MAGIC) throw refuse('it is no device state');
      const version = view.getUint32(4, true);
      if (version !== VERSION) throw refuse(`it has version ${version}, ${VERSION} is known`);
      target.head(Buffer.from(payload.subarray(HEAD_BYTES)).toString());
    } else if (type === RecordType.MEMORY) {
      if (payload.length <= OFFSET_BYTES) throw refuse('a memory record without data');
      target.memory(view.getBigUint64(0, true), payload.subarray(OFFSET_BYTES));
    } else if (type === RecordType.STATE) target.state(payload);
    else if (type === RecordType.PENDING) target.pending(decodePending(payload));
    else if (type === RecordType.END) this.#end();
  }

  #end(): void {
    for (const type of [RecordType.STATE, RecordType.PENDING])
      if (!this.#seen.has(type)) throw refuse(`it ends without a record of type ${type}`);
    this.#ended = true;
  }
}

function decodePending(payload: Uint8Array): Pending[] {
  if (payload.length % 4 !== 0) throw refuse(`${payload.length} bytes of pending interrupts`);
  const view = viewOf(payload);
  return Array.from({ length: payload.length / 4 }, (_, at) => [
    view.getUint16(at * 4, true),
    view.getUint16(at * 4 + 2, true),
  ]);
}

function refuse(reason: string): Error {
  return protocolError(`the state that is restored: ${reason}`);
}
