import { Code } from '../code.ts';
import { TtrpcError } from '../errors.ts';
import { undecodable } from '../protocol/payload.ts';
import type { ClientStream } from './stream-call.ts';

/** The decoded messages of a stream. Leaving the loop early cancels the call. */
export class Responses<T> implements AsyncIterableIterator<T, undefined> {
  readonly #stream: ClientStream;
  readonly #decode: (payload: Uint8Array) => T;
  #last = false;

  constructor(stream: ClientStream, decode: (payload: Uint8Array) => T) {
    this.#stream = stream;
    this.#decode = decode;
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    const result = await this.#stream.responses.next();
    if (result.done !== true) return { done: false, value: this.#decoded(result.value) };
    const { ending } = this.#stream;
    if (this.#last || ending?.kind !== 'response' || ending.payload.length === 0)
      return { done: true, value: undefined };
    // A response frame may end a stream of messages too; its payload is then the last of them.
    this.#last = true;
    return { done: false, value: this.#decoded(ending.payload) };
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    await this.#stream.responses.return!();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #decoded(payload: Uint8Array): T {
    try {
      return this.#decode(payload);
    } catch (error) {
      const failure = undecodable(error);
      this.#stream.cancel(failure);
      throw failure;
    }
  }
}

/** Sends every message of the caller, at the connection's pace, and closes. The caller's error ends the call. */
export async function sendAll<T>(
  stream: ClientStream,
  requests: AsyncIterable<T> | Iterable<T>,
  encode: (message: T) => Uint8Array,
): Promise<void> {
  try {
    for await (const message of requests) {
      if (stream.over) return;
      const room = stream.send(encode(message));
      if (room !== undefined) await room;
    }
    stream.closeSend();
  } catch (error) {
    stream.cancel(TtrpcError.from(error));
  }
}

/** The one message of a stream that must carry exactly one. */
export async function only<T>(messages: AsyncIterable<T>, what: string): Promise<T> {
  let found: { message: T } | undefined;
  for await (const message of messages) {
    if (found !== undefined) throw new TtrpcError(Code.INTERNAL, `${what}: more than one message`);
    found = { message };
  }
  if (found === undefined) throw new TtrpcError(Code.INTERNAL, `${what}: no message`);
  return found.message;
}
