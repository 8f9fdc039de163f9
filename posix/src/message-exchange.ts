import { constants } from 'node:os';
import { PosixError, word } from './errors.ts';
import { MessageReceiver, MessageSender, MSG_CTRUNC, sendWithin } from './message.ts';
import { assertFdCount } from './message-header.ts';
import { type MakeExchange, native } from './native.ts';
import { setSocketTimeouts } from './socket-timeout.ts';

export interface ExchangeOptions {
  /** Messages are received here. */
  receive: Uint8Array;
  /** Answers are sent from here. */
  send: Uint8Array;
  /** Descriptors that a message may bring. Default 0. */
  maxFds?: number;
  /** How long the other side may take to take a whole answer, ms; EAGAIN then. Default: for ever. */
  sendMs?: number;
  /** A receive ends when nothing came for about so long, ms (up to twice as long); below 1000. */
  idleMs: number;
}

/** What {@link MessageExchange.exchange} answers instead of a number of bytes when nothing came. */
export const IDLE = -1;

/**
 * A server's way with one socket: send the answer, wait for the next message, in buffers that are made once. With this
 * package's addon that is one call of native code.
 */
export interface MessageExchange {
  /** Descriptors of the last message: the caller's, close-on-exec. None when not all of them arrived. */
  readonly fds: readonly number[];
  /** The last message came with more descriptors than there is room for (MSG_CTRUNC): it must not be acted on. */
  readonly truncated: boolean;
  /**
   * Sends the first `sendLength` bytes of the send buffer, 0 for nothing, then receives up to `length` bytes at
   * `offset`. Returns their number, 0 at the end of the stream, {@link IDLE} when none came. Throws what fails.
   */
  exchange(sendLength: number, offset: number, length: number): number;
  /**
   * Takes out of the socket what was received but is still in it: to be called before anyone else looks at the socket
   * (poll, another exchange) and before it is closed, or its other end sees ECONNRESET. Throws what fails.
   */
  settle(): void;
}

/** One {@link MessageExchange} for `fd`, which stays the caller's. */
export function messageExchange(fd: number, options: ExchangeOptions): MessageExchange {
  assertFdCount('recvmsg', options.maxFds ?? 0);
  if (options.sendMs !== undefined) setSocketTimeouts(fd, { sendMs: options.sendMs });
  const { makeExchange } = native();
  return (makeExchange && NativeExchange.make(fd, options, makeExchange)) ?? new TwoCalls(fd, options);
}

const NO_FDS: readonly number[] = Object.freeze([]);

// Words shared with posix/native/exchange.c, and room for its structure.
const SEND_LENGTH = 0;
const RECEIVE_AT = 1;
const RECEIVE_LENGTH = 2;
const RESULT = 3;
const FAILED_SEND = 4;
const FLAGS = 5;
const PEEKED = 6;
const FD_COUNT = 7;
const FDS = 8;
const STRUCT_BYTES = 128;

const { EAGAIN } = constants.errno;

class NativeExchange implements MessageExchange {
  fds = NO_FDS;
  readonly #fd: number;
  readonly #words: Int32Array;
  readonly #run: () => void;
  /** Native code has the addresses of these. */
  readonly held: readonly Uint8Array[];

  private constructor(fd: number, words: Int32Array, held: readonly Uint8Array[], run: () => void) {
    this.#fd = fd;
    this.#words = words;
    this.held = held;
    this.#run = run;
  }

  /** Undefined when the kernel gives this thread no timer: queued signals are limited for all processes of a user. */
  static make(fd: number, { receive, send, maxFds = 0, idleMs }: ExchangeOptions, make: MakeExchange) {
    const words = new Int32Array(new ArrayBuffer((FDS + maxFds) * 4));
    const memory = new Uint8Array(new ArrayBuffer(STRUCT_BYTES));
    const run = make(memory, fd, receive, send, words, maxFds, idleMs);
    return run && new NativeExchange(fd, words, [memory, receive, send], run);
  }

  get truncated(): boolean {
    return (this.#words[FLAGS]! & MSG_CTRUNC) !== 0;
  }

  exchange(sendLength: number, offset: number, length: number): number {
    const words = this.#words;
    words[SEND_LENGTH] = sendLength;
    words[RECEIVE_AT] = offset;
    words[RECEIVE_LENGTH] = length;
    this.#run();
    if (words[FD_COUNT] !== 0) this.fds = [...words.subarray(FDS, FDS + words[FD_COUNT]!)];
    else if (this.fds.length > 0) this.fds = NO_FDS;
    const bytes = words[RESULT]!;
    return bytes >= 0 ? bytes : this.#failed(-bytes, sendLength, length);
  }

  settle(): void {
    if (this.#words[PEEKED] !== 0) this.exchange(0, 0, 0);
  }

  #failed(errno: number, sendLength: number, length: number): typeof IDLE {
    const sending = this.#words[FAILED_SEND] !== 0;
    if (errno === EAGAIN && !sending) return IDLE;
    const args = [this.#fd, word(`<${sending ? sendLength : length} bytes>`)];
    throw new PosixError(sending ? 'send' : 'recvmsg', errno, args, native().strerror(errno).toLowerCase());
  }
}

/** The same without the addon or a timer: a call each, and a time limit on each receive. */
class TwoCalls implements MessageExchange {
  readonly #sender: MessageSender;
  readonly #receiver: MessageReceiver;
  readonly #sendMs: number;

  constructor(fd: number, { receive, send, maxFds = 0, idleMs, sendMs = Number.POSITIVE_INFINITY }: ExchangeOptions) {
    this.#sendMs = sendMs;
    this.#sender = new MessageSender(fd, { capacity: 0, buffer: send });
    this.#receiver = new MessageReceiver(fd, { capacity: 0, maxFds, buffer: receive });
    setSocketTimeouts(fd, { receiveMs: idleMs });
  }

  get fds(): readonly number[] {
    return this.#receiver.fds;
  }

  get truncated(): boolean {
    return (this.#receiver.flags & MSG_CTRUNC) !== 0;
  }

  exchange(sendLength: number, offset: number, length: number): number {
    sendWithin(this.#sender, sendLength, { withinMs: this.#sendMs });
    try {
      return this.#receiver.receive(offset, length);
    } catch (error) {
      if (error instanceof PosixError && error.code === 'EAGAIN') return IDLE;
      throw error;
    }
  }

  settle(): void {
    // Nothing stays in the socket.
  }
}
