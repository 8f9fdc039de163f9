import { TtrpcError } from '../errors.ts';
import { Flag } from '../protocol/frame.ts';
import { undecodable } from '../protocol/payload.ts';
import { canceled, streamFull, tooLong } from '../stream/failures.ts';
import type { FrameWriter } from '../stream/frame-writer.ts';
import { ReceiveQueue } from '../stream/receive-queue.ts';
import type { Guard, PendingCall } from './call.ts';
import { takePayload } from './unary-call.ts';

/** How a stream ended well: by a response frame with a payload, or by a closing data frame. */
export type StreamEnding = { kind: 'response'; payload: Uint8Array } | { kind: 'data' };

/** A stream of encoded messages as its client sees it. */
export interface ClientStream {
  /** Messages of the server. Rejects with the error that ended the call. Leaving the loop cancels the call. */
  readonly responses: AsyncIterableIterator<Uint8Array, undefined>;
  /** Set once `responses` has ended. */
  readonly ending: StreamEnding | undefined;
  /** Whether the call has ended, well or not. */
  readonly over: boolean;
  /** Sends one message; await what it returns to follow the connection's pace. Ignored after the end. */
  send(payload: Uint8Array): Promise<void> | undefined;
  /** Says that no further message comes. */
  closeSend(): void;
  /** Ends the call here. The server is not told: the protocol has no frame for it. */
  cancel(reason?: unknown): void;
}

export interface StreamCallSettings {
  writer: FrameWriter;
  /** Whether data frames of this side may follow the request. */
  open: boolean;
  bufferLimit: number;
  maxMessageLength: number;
  /** Takes the call out of its connection's table. */
  forget: (id: number) => void;
}

/** The client's side of a stream of any kind. */
export class StreamCall implements PendingCall, ClientStream {
  readonly #settings: StreamCallSettings;
  readonly responses: ReceiveQueue;
  ending: StreamEnding | undefined;
  guard: Guard | undefined;
  /** Set by the connection when the request has gone out. */
  id = 0;
  #sending: boolean;
  over = false;

  constructor(settings: StreamCallSettings) {
    this.#settings = settings;
    this.#sending = settings.open;
    this.responses = new ReceiveQueue(settings.bufferLimit);
    this.responses.onAbandoned = () => this.cancel();
  }

  response(body: Uint8Array): void {
    try {
      this.ending = { kind: 'response', payload: takePayload(body) };
    } catch (error) {
      this.#finish();
      this.responses.endWith(undecodable(error));
      return;
    }
    this.#finish();
    this.responses.end();
  }

  data(flags: number, body: Uint8Array): void {
    if ((flags & Flag.NO_DATA) === 0 && !this.responses.push(body)) {
      this.fail(streamFull());
      return;
    }
    if ((flags & Flag.REMOTE_CLOSED) === 0) return;
    this.ending = { kind: 'data' };
    this.#finish();
    this.responses.end();
  }

  fail(error: TtrpcError): void {
    if (this.over) return;
    this.#finish();
    this.responses.fail(error);
  }

  send(payload: Uint8Array): Promise<void> | undefined {
    if (!this.#sending) return undefined;
    const { writer, maxMessageLength } = this.#settings;
    if (payload.length > maxMessageLength) {
      this.fail(tooLong(payload.length, maxMessageLength));
      return undefined;
    }
    writer.data(this.id, 0, payload);
    return writer.room();
  }

  closeSend(): void {
    if (!this.#sending) return;
    this.#sending = false;
    this.#settings.writer.data(this.id, Flag.REMOTE_CLOSED | Flag.NO_DATA, new Uint8Array(0));
  }

  cancel(reason?: unknown): void {
    this.fail(reason instanceof TtrpcError ? reason : canceled(reason));
  }

  #finish(): void {
    this.over = true;
    this.#sending = false;
    this.guard?.stop();
    this.#settings.forget(this.id);
  }
}
