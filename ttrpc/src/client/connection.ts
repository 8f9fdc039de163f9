import type { Duplex } from 'node:stream';
import { Code } from '../code.ts';
import { TtrpcError } from '../errors.ts';
import { Metadata } from '../metadata.ts';
import { encodeMethod, encodeRequestTail, payloadFieldLength } from '../protocol/envelope.ts';
import { Flag, FrameType, MAX_BODY_LENGTH } from '../protocol/frame.ts';
import { FrameDecoder, type FrameSink } from '../protocol/frame-decoder.ts';
import { canceled, deadlineExceeded, tooLong } from '../stream/failures.ts';
import { FrameWriter } from '../stream/frame-writer.ts';
import { DEFAULT_STREAM_BUFFER } from '../stream/receive-queue.ts';
import { type CallOptions, guard, type PendingCall } from './call.ts';
import { type ClientStream, StreamCall } from './stream-call.ts';
import { UnaryCall } from './unary-call.ts';

export interface ConnectionOptions {
  /** Largest frame body sent or taken, in bytes. Default 4 MiB, the protocol's limit. */
  maxMessageLength?: number | undefined;
  /** Bytes a stream may hold that nobody reads before it ends with RESOURCE_EXHAUSTED. Default 16 MiB. */
  streamBufferBytes?: number | undefined;
  /** Called once when the connection has gone, with the error if there was one. */
  onClose?: ((error: Error | undefined) => void) | undefined;
}

export interface RawStreamOptions extends CallOptions {
  /** First message, sent with the request. Without one a server decides by the method's kind. */
  payload?: Uint8Array | undefined;
  /** Whether this side sends messages after the request. Default true. */
  open?: boolean | undefined;
}

const NOTHING = new Uint8Array(0);
const NO_OPTIONS: CallOptions = {};
const LAST_ID = 0xffff_ffff;
const same = (payload: Uint8Array) => payload;

/** The client's end of a connection: many calls at once over one duplex stream. */
export class Connection {
  readonly #duplex: Duplex;
  readonly #writer: FrameWriter;
  readonly #calls = new Map<number, PendingCall>();
  readonly #maxLength: number;
  readonly #streamBuffer: number;
  #nextId = 1;
  #gone: TtrpcError | undefined;
  #lastTimeout: number | undefined;
  #lastTail: Uint8Array | undefined;
  /** Resolves when the connection has gone, for whatever reason. */
  readonly closed: Promise<void>;

  /** Takes over a connected duplex stream: a socket, a virtio-serial port, one side of a pair. */
  constructor(duplex: Duplex, options: ConnectionOptions = {}) {
    this.#duplex = duplex;
    this.#maxLength = options.maxMessageLength ?? MAX_BODY_LENGTH;
    this.#streamBuffer = options.streamBufferBytes ?? DEFAULT_STREAM_BUFFER;
    this.#writer = new FrameWriter(duplex);
    const decoder = new FrameDecoder(this.#sink(), this.#maxLength);
    let failure: Error | undefined;
    this.closed = new Promise((resolve) => {
      duplex.on('close', () => {
        this.#end(failure);
        resolve();
        options.onClose?.(failure);
      });
    });
    duplex.on('error', (error) => {
      failure = error;
    });
    duplex.on('end', () => duplex.destroy());
    duplex.on('data', (chunk: Uint8Array) => decoder.push(chunk));
    // Whoever made the connection may have paused it.
    duplex.resume();
  }

  /** Calls that have not ended. */
  get active(): number {
    return this.#calls.size;
  }

  /** A unary call of bytes: for proxies, and for callers without a descriptor. */
  raw(service: string, method: string, payload: Uint8Array, options: CallOptions = NO_OPTIONS): Promise<Uint8Array> {
    return this.unary(encodeMethod(service, method), payload, same, options);
  }

  /** A stream of bytes. */
  rawStream(service: string, method: string, options: RawStreamOptions = {}): ClientStream {
    return this.stream(encodeMethod(service, method), options);
  }

  /** A unary call of a method as `encodeMethod` gives it. What typed clients are built on. */
  unary<T>(
    method: Uint8Array,
    payload: Uint8Array,
    decode: (payload: Uint8Array) => T,
    options: CallOptions = NO_OPTIONS,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const call = new UnaryCall(decode, resolve, reject);
      const id = this.#open(call, 0, method, payload, options);
      if (id === undefined || (options.timeoutMs === undefined && options.signal === undefined)) return;
      call.guard = guard(options, (error) => {
        this.#calls.delete(id);
        call.fail(error);
      });
    });
  }

  /** A stream of a method as `encodeMethod` gives it. */
  stream(method: Uint8Array, options: RawStreamOptions): ClientStream {
    const open = options.open ?? true;
    const payload = options.payload ?? NOTHING;
    const call = new StreamCall({
      writer: this.#writer,
      open,
      bufferLimit: this.#streamBuffer,
      maxMessageLength: this.#maxLength,
      forget: this.#forget,
    });
    // A request that opens a stream without a first message says so: some servers go by the flag, some by the bytes.
    const flags = open ? Flag.REMOTE_OPEN | (options.payload === undefined ? Flag.NO_DATA : 0) : Flag.REMOTE_CLOSED;
    const id = this.#open(call, flags, method, payload, options);
    if (id === undefined) return call;
    call.id = id;
    call.guard = guard(options, (error) => call.fail(error));
    return call;
  }

  /** Ends the connection: calls in flight fail with UNAVAILABLE, what was written goes out. */
  async close(): Promise<void> {
    this.#writer.flush();
    this.#end(undefined);
    this.#duplex.end(() => this.#duplex.destroy());
    await this.closed;
  }

  /** Ends the connection at once; nothing more goes out. */
  destroy(error?: Error): void {
    this.#duplex.destroy(error);
  }

  readonly #forget = (id: number): void => {
    this.#calls.delete(id);
  };

  /** Registers a call and writes its request; undefined when the call has failed instead. */
  #open(call: PendingCall, flags: number, method: Uint8Array, payload: Uint8Array, options: CallOptions) {
    const refusal = this.#refusal(options);
    if (refusal !== undefined) return void call.fail(refusal);
    const tail = this.#tail(options);
    const length = method.length + payloadFieldLength(payload) + (tail?.length ?? 0);
    if (length > this.#maxLength) return void call.fail(tooLong(length, this.#maxLength));
    // The id is taken at the moment of writing: servers refuse ids that do not increase on the wire.
    const id = this.#nextId;
    this.#nextId += 2;
    this.#calls.set(id, call);
    this.#writer.request(id, flags, method, payload, tail);
    return id;
  }

  /** Timeout and metadata, encoded. A timeout alone is mostly the same as that of the call before. */
  #tail({ timeoutMs, metadata }: CallOptions): Uint8Array | undefined {
    if (metadata !== undefined) return encodeRequestTail(timeoutMs, new Metadata(metadata));
    if (timeoutMs !== this.#lastTimeout) {
      this.#lastTimeout = timeoutMs;
      this.#lastTail = encodeRequestTail(timeoutMs, undefined);
    }
    return this.#lastTail;
  }

  #refusal(options: CallOptions): TtrpcError | undefined {
    if (this.#gone !== undefined) return this.#gone;
    if (this.#nextId > LAST_ID) {
      return new TtrpcError(Code.UNAVAILABLE, 'every stream id of this connection is used: open a new one');
    }
    if (options.signal?.aborted) return canceled(options.signal.reason);
    if (options.timeoutMs !== undefined && !(options.timeoutMs > 0)) return deadlineExceeded();
    return undefined;
  }

  #sink(): FrameSink {
    const calls = this.#calls;
    return {
      // A frame for a call that is over here (deadline, cancellation) is late, not wrong: it is dropped.
      frame(id, type, flags, body) {
        const call = calls.get(id);
        if (call === undefined) return;
        if (type === FrameType.RESPONSE) {
          calls.delete(id);
          call.response(body);
        } else if (type === FrameType.DATA) {
          if (call instanceof UnaryCall) calls.delete(id);
          call.data(flags, body);
        }
      },
      oversize: (id, _type, _flags, length) => {
        const call = calls.get(id);
        calls.delete(id);
        call?.fail(tooLong(length, this.#maxLength));
      },
    };
  }

  #end(cause: Error | undefined): void {
    if (this.#gone === undefined) {
      const reason = cause === undefined ? '' : `: ${cause.message}`;
      this.#gone = new TtrpcError(Code.UNAVAILABLE, `connection closed${reason}`, { cause });
    }
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const call of calls) call.fail(this.#gone);
  }
}
