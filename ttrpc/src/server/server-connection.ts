import type { Duplex } from 'node:stream';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { Code } from '../code.ts';
import { TtrpcError } from '../errors.ts';
import { decodeRequest, type Request } from '../protocol/envelope.ts';
import { Flag, FrameType } from '../protocol/frame.ts';
import { FrameDecoder, type FrameSink } from '../protocol/frame-decoder.ts';
import { reasonOf } from '../protocol/payload.ts';
import { encodeStatus } from '../protocol/status.ts';
import { deadlines } from '../stream/deadlines.ts';
import { canceled, deadlineExceeded, streamFull, tooLong } from '../stream/failures.ts';
import { FrameWriter } from '../stream/frame-writer.ts';
import type { PeerCredentials } from './context.ts';
import type { MethodServer } from './methods.ts';
import { type CallHost, ServerCall } from './server-call.ts';

export interface ServerConnectionSettings {
  maxMessageLength: number;
  streamBufferBytes: number;
  sendBufferBytes: number;
  maxCalls: number;
  peer: PeerCredentials | undefined;
  /** Finds what serves a method; throws UNIMPLEMENTED. */
  lookUp: (service: string, method: string) => MethodServer;
  closed: (connection: ServerConnection, error: Error | undefined) => void;
}

/** How long a client with a stream half full of requests may leave its answers unread; Go waits as long. */
const PATIENCE_MS = 1000;

/** How long a client that has closed its half may take to read what it was sent. */
const LINGER_MS = 1000;

/**
 * The server's end of a connection. Each rule for a bad frame is a row of PROTOCOL.md's table; none of them ends the
 * connection or another call.
 */
export class ServerConnection implements CallHost, FrameSink {
  readonly #duplex: Duplex;
  readonly #settings: ServerConnectionSettings;
  readonly #calls = new Map<number, ServerCall>();
  readonly #decoder: FrameDecoder;
  readonly writer: FrameWriter;
  #lastId = 0;
  #draining = false;
  /** A call whose requests pile up because its answers are not read. */
  #crowded: ServerCall | undefined;

  constructor(duplex: Duplex, settings: ServerConnectionSettings) {
    this.#duplex = duplex;
    this.#settings = settings;
    this.writer = new FrameWriter(duplex);
    this.#decoder = new FrameDecoder(this, settings.maxMessageLength);
    let failure: Error | undefined;
    duplex.on('error', (error) => {
      failure = error;
    });
    duplex.on('close', () => {
      this.#dropCalls(failure);
      settings.closed(this, failure);
    });
    // As in Go: a client that closes its side has gone, and nobody waits for what its calls would answer. Only what
    // is answered in this turn still goes out, for clients that send, close their half, and read.
    duplex.on('end', () => {
      setImmediate(() => {
        this.#dropCalls(undefined);
        this.#closeWhenSent();
        setTimeout(() => duplex.destroy(), LINGER_MS).unref();
      });
    });
    duplex.on('data', (chunk: Uint8Array) => void this.#take(chunk));
    duplex.resume();
  }

  get active(): number {
    return this.#calls.size;
  }

  get maxMessageLength(): number {
    return this.#settings.maxMessageLength;
  }

  get streamBufferBytes(): number {
    return this.#settings.streamBufferBytes;
  }

  get peer(): PeerCredentials | undefined {
    return this.#settings.peer;
  }

  /** Takes no further call and closes when those that run have ended. */
  drain(): void {
    this.#draining = true;
    if (this.#calls.size === 0) this.#closeWhenSent();
  }

  destroy(): void {
    this.#duplex.destroy();
  }

  finished(call: ServerCall): void {
    this.#calls.delete(call.id);
    if (this.#draining && this.#calls.size === 0) this.#closeWhenSent();
  }

  frame(id: number, type: number, flags: number, body: Uint8Array): void {
    if (id % 2 !== 1) {
      this.#reject(id, Code.INVALID_ARGUMENT, 'StreamID must be odd for client initiated streams');
    } else if (type === FrameType.REQUEST) this.#request(id, flags, body);
    else if (type === FrameType.DATA) this.#data(id, flags, body);
    // Any other type is one of a later version of the protocol: ignored.
    this.#bound();
  }

  oversize(id: number, _type: number, _flags: number, length: number): void {
    const error = tooLong(length, this.#settings.maxMessageLength);
    const call = this.#calls.get(id);
    // A stream that has lost a message cannot go on.
    if (call !== undefined) call.fail(error);
    else this.#fail(id, error);
    this.#bound();
  }

  #request(id: number, flags: number, body: Uint8Array): void {
    if (id <= this.#lastId) {
      this.#reject(id, Code.INVALID_ARGUMENT, 'StreamID cannot be re-used and must increment');
      return;
    }
    this.#lastId = id;
    let request: Request;
    try {
      request = decodeRequest(body);
    } catch (error) {
      this.#reject(id, Code.INVALID_ARGUMENT, `unmarshal request error: ${reasonOf(error)}`);
      return;
    }
    if (this.#draining) {
      this.#reject(id, Code.UNAVAILABLE, 'the server is shutting down');
      return;
    }
    if (this.#calls.size >= this.#settings.maxCalls) {
      const message = `more than ${this.#settings.maxCalls} calls in flight on this connection`;
      this.#reject(id, Code.RESOURCE_EXHAUSTED, message);
      return;
    }
    let serve: MethodServer;
    try {
      serve = this.#settings.lookUp(request.service, request.method);
    } catch (error) {
      this.#fail(id, TtrpcError.from(error));
      return;
    }
    const call = new ServerCall(this, id, flags, request);
    this.#calls.set(id, call);
    if (request.timeoutMs !== undefined && !this.#startClock(call, request.timeoutMs)) return;
    serve(call, request.payload);
  }

  /** False when the time is up before the call has begun. */
  #startClock(call: ServerCall, timeoutMs: number): boolean {
    if (timeoutMs <= 0) {
      call.fail(deadlineExceeded());
      return false;
    }
    call.guard(deadlines.start(timeoutMs, () => call.fail(deadlineExceeded())));
    return true;
  }

  #data(id: number, flags: number, body: Uint8Array): void {
    const call = this.#calls.get(id);
    if (call === undefined || call.detached) {
      this.#reject(id, Code.INVALID_ARGUMENT, 'StreamID is no longer active');
      return;
    }
    const closes = (flags & Flag.REMOTE_CLOSED) !== 0;
    const carries = (flags & Flag.NO_DATA) === 0;
    const { requests } = call;
    if (requests === undefined) {
      // The Go server crashes on this for unary calls. Closing what was never open does no harm.
      if (carries) call.fail(new TtrpcError(Code.INVALID_ARGUMENT, 'data handling error: the call takes no data'));
      return;
    }
    if (carries && call.remoteClosed) {
      this.#detach(call, 'data handling error: ttrpc: stream closed');
      return;
    }
    if (carries && !requests.push(body)) {
      call.fail(streamFull());
      return;
    }
    if (this.#isCrowded(call) && !call.waitedFor && this.writer.room() !== undefined) {
      this.#crowded = call;
      this.#decoder.hold();
    }
    if (!closes) return;
    call.remoteClosed = true;
    requests.end();
    if (body.length > 0) this.#detach(call, 'data close message cannot include data');
  }

  /** Says what is wrong with a frame of a running stream. As in Go its handler goes on, but takes no more frames. */
  #detach(call: ServerCall, message: string): void {
    call.detached = true;
    this.#reject(call.id, Code.INVALID_ARGUMENT, message);
  }

  /** Answers a frame that is no call, on the id it came with, so that the client sees which one it was. */
  #reject(id: number, code: Code, message: string): void {
    this.#fail(id, new TtrpcError(code, message));
  }

  #fail(id: number, error: TtrpcError): void {
    this.writer.failure(id, encodeStatus(error));
  }

  /**
   * A client that asks and does not read must not fill this side's memory: it is not read until it does. Looked at
   * behind each frame, since the requests of a single read may have answers of gigabytes.
   */
  #bound(): void {
    if (this.writer.queued > this.#settings.sendBufferBytes) this.#decoder.hold();
  }

  /** Takes what was read, at the pace of the answers; false when the rest has to wait for room. */
  #take(chunk: Uint8Array): boolean {
    let rest: Uint8Array | undefined = chunk;
    while (rest !== undefined) {
      rest = this.#decoder.push(rest);
      const ready = this.#ready();
      if (ready === undefined) continue;
      const held: Uint8Array | undefined = rest;
      this.#duplex.pause();
      void ready.then(() => {
        if (held === undefined || this.#take(held)) this.#duplex.resume();
      });
      return false;
    }
    return true;
  }

  /** A promise of the moment to read on, undefined when that is now. */
  #ready(): Promise<void> | undefined {
    const crowded = this.#crowded;
    this.#crowded = undefined;
    if (crowded !== undefined) return this.#relief(crowded);
    return this.writer.queued > this.#settings.sendBufferBytes ? this.writer.room() : undefined;
  }

  #isCrowded({ requests, over }: ServerCall): boolean {
    return !over && requests !== undefined && requests.held * 2 > this.#settings.streamBufferBytes;
  }

  /**
   * A handler that answers as it reads is held up by a client that writes faster than it reads. Such a client is read
   * at its own pace; one that does not read at all gets the rest of the buffer, then RESOURCE_EXHAUSTED.
   */
  async #relief(call: ServerCall): Promise<void> {
    while (this.#isCrowded(call)) {
      const room = this.writer.room();
      if (room === undefined) return;
      const late = new AbortController();
      const patience = delay(PATIENCE_MS, 'late', { signal: late.signal, ref: false }).catch(() => 'cleared');
      const first = await Promise.race([room, patience]);
      late.abort();
      if (first === 'late') {
        call.waitedFor = true;
        return;
      }
      // The handler's turn.
      await nextTurn();
    }
  }

  #closeWhenSent(): void {
    this.writer.flush();
    this.#duplex.end(() => this.#duplex.destroy());
  }

  #dropCalls(error: Error | undefined): void {
    this.#decoder.stop();
    const reason = canceled(error ?? new Error('the connection has gone'));
    for (const call of [...this.#calls.values()]) call.drop(reason);
  }
}
