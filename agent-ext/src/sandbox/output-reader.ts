import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { AgentError } from '../errors.ts';
import { deferred } from './deferred.ts';

/**
 * Reads a process's output in pieces of the asked size. Reads wait for data, keep their order, and fail at the end, as
 * a shim expects. Nothing is read ahead of what the stream itself buffers, so a full pipe stops the process.
 */
export class OutputReader {
  readonly #stream: Readable;
  readonly #ended = deferred<void>();
  #left: Buffer = Buffer.alloc(0);
  #turn: Promise<unknown> = Promise.resolve();

  constructor(stream: Readable) {
    this.#stream = stream;
    // An unread error must not end the agent; readers see the end of the stream.
    stream.on('error', () => {});
    // Listening is what makes a stream fetch its first bytes.
    stream.on('readable', () => {});
  }

  /** Resolves when a reader was told of the end. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** @param most bytes; 0 means any amount. Throws END_OF_STREAM */
  read(most: number, signal?: AbortSignal): Promise<Uint8Array> {
    const result = this.#turn.then(() => this.#next(most, signal));
    this.#turn = result.catch(() => {});
    return result;
  }

  async #next(most: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    while (this.#left.length === 0) {
      const chunk = this.#stream.read() as Buffer | null;
      if (chunk !== null) this.#left = chunk;
      else if (this.#isOver()) {
        this.#ended.resolve();
        throw new AgentError('END_OF_STREAM', 'read meet eof');
      } else await this.#somethingNew(signal);
    }
    const piece = this.#left.subarray(0, most > 0 ? most : undefined);
    this.#left = this.#left.subarray(piece.length);
    return piece;
  }

  #isOver(): boolean {
    return this.#stream.readableEnded || this.#stream.destroyed;
  }

  async #somethingNew(signal: AbortSignal | undefined): Promise<void> {
    const stop = new AbortController();
    const abort = () => stop.abort(signal?.reason);
    signal?.throwIfAborted();
    signal?.addEventListener('abort', abort);
    const events = ['readable', 'end', 'close', 'error'].map((event) =>
      once(this.#stream, event, { signal: stop.signal }),
    );
    try {
      await Promise.race(events);
    } catch (error) {
      signal?.throwIfAborted();
      if ((error as Error).name !== 'AbortError') return;
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
      stop.abort();
      for (const event of events) event.catch(() => {});
    }
  }
}
