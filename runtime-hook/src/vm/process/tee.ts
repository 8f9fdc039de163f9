import { Writable } from 'node:stream';
import type { BoundedLog } from './bounded-log.ts';

/** Writes to `sink` at its pace and keeps a bounded copy in `log`. */
export function tee(sink: Writable, log: BoundedLog): Writable {
  const both = new Writable({
    write(chunk: Buffer, _encoding, done) {
      log.write(chunk);
      sink.write(chunk, done);
    },
  });
  // Whoever writes is told by the callback.
  both.on('error', () => {});
  return both;
}

/** Keeps what is written, up to `limit` bytes. */
export class Capture extends Writable {
  readonly #chunks: Buffer[] = [];
  #left: number;

  constructor(limit = 16 * 1024 * 1024) {
    super();
    this.#left = limit;
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const part = chunk.subarray(0, this.#left);
    this.#left -= part.byteLength;
    if (part.byteLength > 0) this.#chunks.push(part);
    done();
  }
}
