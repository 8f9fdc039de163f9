import { HEADER_BYTES, MAX_MESSAGE_BYTES } from './constants.ts';

/** One message, as a window on the framer's buffer: valid until the next call of {@link Framer.reserve}. */
export interface Frame {
  id: number;
  command: number;
  flags: number;
  errno: number;
  /** Where the payload starts in `view` and `bytes`. */
  start: number;
  /** Payload bytes. */
  length: number;
  view: DataView;
  bytes: Uint8Array;
  /** Descriptors that came with the message; who takes one removes it, whoever ends the message closes the rest. */
  fds: number[];
}

/** What {@link Framer.next} found. */
export type FrameState =
  /** `frame` holds the next message. */
  | 'frame'
  /** More bytes are needed. */
  | 'partial'
  /** The header at hand has an impossible size; the stream cannot be trusted any more. */
  | 'invalid';

/**
 * Cuts a byte stream into messages: bytes in, frames out, no socket. Bytes are received straight into its buffer, whose
 * size is that of the largest message (untouched pages of it cost no memory). Descriptors belong to the last message
 * whose first byte arrived with them, because the kernel ends a receive after the bytes a descriptor was sent with.
 */
export class Framer {
  readonly frame: Frame;
  /** Receive here, from the index {@link reserve} gives. */
  readonly bytes: Uint8Array;
  readonly #maxMessage: number;
  readonly #view: DataView;
  /** Unread bytes are [start, end). */
  #start = 0;
  #end = 0;
  /** Descriptors by the stream position of the message they belong to. */
  #fds: { at: number; fds: number[] }[] = [];
  /** Stream position of #start. */
  #position = 0;

  constructor(maxMessage: number = MAX_MESSAGE_BYTES) {
    this.#maxMessage = maxMessage;
    this.bytes = new Uint8Array(new ArrayBuffer(maxMessage + HEADER_BYTES));
    this.#view = new DataView(this.bytes.buffer);
    this.frame = {
      id: 0,
      command: 0,
      flags: 0,
      errno: 0,
      start: 0,
      length: 0,
      view: this.#view,
      bytes: this.bytes,
      fds: [],
    };
  }

  /** Makes room for the rest of the next message. Returns where in {@link bytes} to receive. */
  reserve(): number {
    if (this.#start === this.#end) {
      this.#start = 0;
      this.#end = 0;
    } else if (this.#start + this.#wanted() > this.bytes.length) {
      this.bytes.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    return this.#end;
  }

  /** Takes bytes from elsewhere; the same as receiving them. Returns how many fitted; `refuse` gets descriptors of no message. */
  push(bytes: Uint8Array, fds: readonly number[] = [], refuse: (fd: number) => void = () => {}): number {
    const at = this.reserve();
    const count = Math.min(bytes.length, this.bytes.length - at);
    this.bytes.set(bytes.subarray(0, count), at);
    for (const fd of this.received(count, fds)) refuse(fd);
    return count;
  }

  /**
   * Tells that the next `count` bytes were filled, and which descriptors came along. Returns the
   * descriptors that belong to no message (none began in these bytes); the caller closes them.
   */
  received(count: number, fds?: readonly number[]): readonly number[] {
    const before = this.#position + this.#end - this.#start;
    this.#end += count;
    if (fds === undefined || fds.length === 0) return [];
    let owner = -1;
    let at = this.#position;
    while (at < before + count) {
      owner = at;
      const index = this.#start + at - this.#position;
      if (this.#end - index < HEADER_BYTES) break;
      const size = this.#view.getUint32(index + 4, true);
      if (size < HEADER_BYTES || size > this.#maxMessage) break;
      at += size;
    }
    if (owner < before) return fds;
    this.#fds.push({ at: owner, fds: [...fds] });
    return [];
  }

  /** Moves on to the next message and puts it in {@link frame}. */
  next(): FrameState {
    const start = this.#start;
    const available = this.#end - start;
    if (available < HEADER_BYTES) return 'partial';
    const view = this.#view;
    const size = view.getUint32(start + 4, true);
    const invalid = size < HEADER_BYTES || size > this.#maxMessage;
    if (!invalid && available < size) return 'partial';
    const frame = this.frame;
    frame.id = view.getUint16(start, true);
    frame.command = view.getUint16(start + 2, true);
    frame.flags = view.getUint32(start + 8, true);
    frame.errno = view.getUint32(start + 12, true);
    frame.start = start + HEADER_BYTES;
    frame.length = invalid ? 0 : size - HEADER_BYTES;
    if (invalid) return 'invalid';
    this.#start += size;
    this.#position += size;
    if (this.#fds.length > 0) this.#attach();
    else if (frame.fds.length > 0) frame.fds = [];
    return 'frame';
  }

  /** Descriptors not yet handed out with a message; the caller closes them. */
  drain(): number[] {
    const fds = this.#fds.flatMap((entry) => entry.fds);
    this.#fds = [];
    return fds;
  }

  #attach(): void {
    const mine = this.#fds.filter((entry) => entry.at < this.#position);
    this.#fds = this.#fds.filter((entry) => entry.at >= this.#position);
    this.frame.fds = mine.flatMap((entry) => entry.fds);
  }

  /** Bytes of the message at #start, as far as known; a size out of range is not followed. */
  #wanted(): number {
    if (this.#end - this.#start < HEADER_BYTES) return HEADER_BYTES;
    const size = this.#view.getUint32(this.#start + 4, true);
    return size > this.#maxMessage ? HEADER_BYTES : size;
  }
}
