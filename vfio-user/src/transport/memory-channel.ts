import { closeSync } from 'node:fs';
import { dup } from '@kata-mock/posix';
import { VfioUserError } from '../errors.ts';
import type { Framer } from '../protocol/index.ts';
import type { Channel, FillResult } from './channel.ts';

/** One piece of a stream: bytes, and the descriptors that ride on its first byte. */
export interface Chunk {
  bytes: Uint8Array;
  fds: readonly number[];
}

/** The socket-free twin of the socket channel: what is pushed is received, what is sent is collected. For tests, fuzzing and replay. */
export class MemoryChannel implements Channel {
  readonly sent: Chunk[] = [];
  readonly #incoming: Chunk[] = [];
  readonly #onWait: () => void;
  #closed = false;

  /** `onWait` runs when bytes are wanted and none are there: it may push some. */
  constructor(onWait: () => void = () => {}) {
    this.#onWait = onWait;
  }

  get hasIncoming(): boolean {
    return this.#incoming.length > 0;
  }

  /** Hands bytes to the server; it owns the descriptors from now on. */
  push(bytes: Uint8Array, fds: readonly number[] = []): void {
    this.#incoming.push({ bytes, fds });
  }

  send(bytes: Uint8Array, length: number, fds: readonly number[] = []): void {
    if (this.#closed) throw new VfioUserError('DISCONNECTED', 'the channel is closed');
    this.sent.push({ bytes: bytes.slice(0, length), fds: fds.map((fd) => dup(fd)) });
  }

  sendLater(bytes: Uint8Array, length: number): void {
    this.send(bytes, length);
  }

  flush(): void {}

  fill(framer: Framer): FillResult {
    if (this.#incoming.length === 0) this.#onWait();
    const chunk = this.#incoming.shift();
    if (!chunk) return this.#closed ? 'closed' : 'idle';
    const count = framer.push(chunk.bytes, chunk.fds, (fd) => closeSync(fd));
    if (count < chunk.bytes.length) this.#incoming.unshift({ bytes: chunk.bytes.subarray(count), fds: [] });
    return 'data';
  }

  /** All messages sent so far, joined; their descriptors are closed. */
  takeSent(): Uint8Array {
    const chunks = this.sent.splice(0);
    for (const fd of chunks.flatMap((chunk) => chunk.fds)) closeSync(fd);
    return Buffer.concat(chunks.map((chunk) => chunk.bytes));
  }

  close(): void {
    this.#closed = true;
    for (const fd of this.#incoming.splice(0).flatMap((chunk) => chunk.fds)) closeSync(fd);
  }
}
