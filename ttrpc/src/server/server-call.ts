import { TtrpcError } from '../errors.ts';
import type { Request } from '../protocol/envelope.ts';
import { payloadFieldLength } from '../protocol/envelope.ts';
import { Flag } from '../protocol/frame.ts';
import { encodeStatus } from '../protocol/status.ts';
import type { Deadline } from '../stream/deadlines.ts';
import { deadlineExceeded, tooLong } from '../stream/failures.ts';
import type { FrameWriter } from '../stream/frame-writer.ts';
import { ReceiveQueue } from '../stream/receive-queue.ts';
import { CallContext, type PeerCredentials } from './context.ts';

/** What a call needs of its connection. */
export interface CallHost {
  readonly writer: FrameWriter;
  readonly maxMessageLength: number;
  readonly streamBufferBytes: number;
  readonly peer: PeerCredentials | undefined;
  /** The call has sent its last frame. */
  finished(call: ServerCall): void;
}

const NOTHING = new Uint8Array(0);

/**
 * One call at the server. Its states: running, then over. Over means that its last frame is out (or its connection
 * gone): what the handler still does has no effect.
 */
export class ServerCall {
  readonly id: number;
  /** Flags of the request: how its client will use the stream. Only proxies look at them. */
  readonly flags: number;
  readonly context: CallContext;
  readonly #host: CallHost;
  #requests: ReceiveQueue | undefined;
  #deadline: Deadline | undefined;
  over = false;
  /** The client has said that it sends no more. */
  remoteClosed = false;
  /** A frame of the client was wrong: no further one is taken. */
  detached = false;
  /** Its client was given time to read the answers, and did not. */
  waitedFor = false;

  constructor(host: CallHost, id: number, flags: number, request: Request) {
    this.#host = host;
    this.id = id;
    this.flags = flags;
    const { timeoutMs } = request;
    const deadline = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
    this.context = new CallContext(request.service, request.method, request.metadata, deadline, host.peer);
  }

  /** Messages of the client; undefined for a call that takes none beyond its request. */
  get requests(): ReceiveQueue | undefined {
    return this.#requests;
  }

  /** Makes this a call whose client may send data frames. */
  openRequests(): ReceiveQueue {
    this.#requests ??= new ReceiveQueue(this.#host.streamBufferBytes);
    return this.#requests;
  }

  /** Its deadline, stopped when the call is over. */
  guard(deadline: Deadline): void {
    this.#deadline = deadline;
  }

  /** Sends one message of a stream; await what it returns to follow the connection's pace. */
  send(payload: Uint8Array): Promise<void> | undefined {
    if (this.over || this.#isLate()) return undefined;
    if (payload.length > this.#host.maxMessageLength) {
      this.#tooLong(payload.length);
      return undefined;
    }
    this.#host.writer.data(this.id, 0, payload);
    return this.#host.writer.room();
  }

  /** Ends a stream of messages. */
  end(): void {
    if (this.over || this.#isLate()) return;
    this.#host.writer.data(this.id, Flag.REMOTE_CLOSED | Flag.NO_DATA, NOTHING);
    this.#finish(undefined);
  }

  /** Ends a call that has one reply. */
  respond(payload: Uint8Array): void {
    if (this.over || this.#isLate()) return;
    const length = payloadFieldLength(payload);
    if (length > this.#host.maxMessageLength) {
      this.#tooLong(length);
      return;
    }
    this.#host.writer.response(this.id, payload);
    this.#finish(undefined);
  }

  /** Ends the call with a status. */
  fail(error: TtrpcError): void {
    if (this.over) return;
    let status = encodeStatus(error);
    if (status.length + 8 > this.#host.maxMessageLength) {
      const text = `status of ${status.length} bytes does not fit a message: ${error.message.slice(0, 1024)}`;
      status = encodeStatus(new TtrpcError(error.code, text));
    }
    this.#host.writer.failure(this.id, status);
    this.#finish(error);
  }

  /** Ends the call without a frame: the connection has gone. */
  drop(error: TtrpcError): void {
    if (!this.over) this.#finish(error);
  }

  /** Nothing is answered after its deadline, also when a busy program let the timer wait. */
  #isLate(): boolean {
    const { deadline } = this.context;
    if (deadline === undefined || performance.now() < deadline) return false;
    this.fail(deadlineExceeded());
    return true;
  }

  /** The Go server closes the whole connection here; one call's size is no reason to end the others. */
  #tooLong(length: number): void {
    this.fail(tooLong(length, this.#host.maxMessageLength));
  }

  #finish(error: TtrpcError | undefined): void {
    this.over = true;
    this.#deadline?.stop();
    if (error === undefined) this.#requests?.end();
    else {
      this.#requests?.fail(error);
      this.context.abort(error);
    }
    this.#host.finished(this);
  }
}
