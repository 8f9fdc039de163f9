import { Code } from '../code.ts';
import { TtrpcError } from '../errors.ts';

/** What a stream nobody reads may hold before it ends with RESOURCE_EXHAUSTED, in bytes: 16 MiB. */
export const DEFAULT_STREAM_BUFFER = 16 * 1024 * 1024;

/** What a message counts beside its bytes, so that empty messages have an end too. */
const MESSAGE_OVERHEAD = 64;

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

type Resolve = (result: IteratorResult<Uint8Array, undefined>) => void;

/**
 * Messages a stream has received and its reader has not taken. One reader. The protocol has no window, and the
 * connection must go on for the other streams, so a queue that is full ends its stream instead of stopping the peer.
 */
export class ReceiveQueue implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #limit: number;
  #messages: Uint8Array[] = [];
  #head = 0;
  #held = 0;
  #ended = false;
  #error: TtrpcError | undefined;
  #reader: { resolve: Resolve; reject: (error: unknown) => void } | undefined;
  /** Called when the reader goes away early. */
  onAbandoned: (() => void) | undefined;

  constructor(limit: number = DEFAULT_STREAM_BUFFER) {
    this.#limit = limit;
  }

  /** Bytes that wait for the reader. */
  get held(): number {
    return this.#held;
  }

  /** Hands a message to the reader or keeps it; false when the limit does not allow that. */
  push(message: Uint8Array): boolean {
    if (this.#ended) return true;
    const reader = this.#reader;
    if (reader !== undefined) {
      this.#reader = undefined;
      reader.resolve({ done: false, value: message });
      return true;
    }
    const size = message.length + MESSAGE_OVERHEAD;
    if (this.#held + size > this.#limit) return false;
    this.#held += size;
    this.#messages.push(unpinned(message));
    return true;
  }

  /** No message follows; the reader gets those that are held, then the end. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#reader?.resolve(DONE);
    this.#reader = undefined;
  }

  /** Ends the stream at once; what is held is dropped. */
  fail(error: TtrpcError): void {
    if (this.#ended && this.#messages.length === 0) return;
    this.#ended = true;
    this.#messages = [];
    this.#head = 0;
    this.#held = 0;
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader === undefined) this.#error = error;
    else reader.reject(error);
  }

  /** Ends the stream with an error behind the messages that are held. */
  endWith(error: TtrpcError): void {
    if (this.#ended) return;
    this.#ended = true;
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader === undefined) this.#error = error;
    else reader.reject(error);
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#head < this.#messages.length) return Promise.resolve({ done: false, value: this.#shift() });
    if (this.#error !== undefined) {
      const error = this.#error;
      this.#error = undefined;
      return Promise.reject(error);
    }
    if (this.#ended) return Promise.resolve(DONE);
    if (this.#reader !== undefined) {
      return Promise.reject(new TtrpcError(Code.FAILED_PRECONDITION, 'a stream has one reader at a time'));
    }
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }

  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    const early = !this.#ended;
    this.#messages = [];
    this.#head = 0;
    this.#error = undefined;
    this.end();
    if (early) this.onAbandoned?.();
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #shift(): Uint8Array {
    const message = this.#messages[this.#head]!;
    this.#messages[this.#head] = EMPTY;
    this.#head++;
    this.#held -= message.length + MESSAGE_OVERHEAD;
    if (this.#head === this.#messages.length) {
      this.#messages = [];
      this.#head = 0;
    } else if (this.#head > 1024 && this.#head * 2 > this.#messages.length) {
      this.#messages = this.#messages.slice(this.#head);
      this.#head = 0;
    }
    return message;
  }
}

const EMPTY = new Uint8Array(0);

/** A message that waits must not keep alive the 64 KiB read it came in, or a few small ones hold megabytes. */
function unpinned(message: Uint8Array): Uint8Array {
  return message.length * 2 < message.buffer.byteLength ? Buffer.from(message) : message;
}
