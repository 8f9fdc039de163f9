import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { performance } from 'node:perf_hooks'; // the global of that name is a getter, six times as slow
import { VfioUserError } from '../errors.ts';
import { type Frame, HEADER_BYTES, viewOf } from '../protocol/index.ts';
import type { SessionObserver } from '../server/session.ts';
import { Origin, type PacketHead, packetBytes, pcapngHead, writePacket } from './pcapng.ts';

const BUFFER_BYTES = 1 << 18;

/**
 * Copies every message into a buffer and the buffer into a pcapng file: lossless, and cheap enough to leave on. When the
 * file can take no more, a full disk say, the trace ends and the device goes on.
 */
export class Tracer implements SessionObserver {
  readonly file: string;
  messages = 0;
  /** Why the trace ended by itself; whole blocks up to there are in the file. */
  failure: VfioUserError | undefined;
  /** Bytes of whole blocks in the file. */
  #written = 0;
  readonly #fd: number;
  /** Read once: it is a getter that costs as much as the time itself. */
  readonly #origin = performance.timeOrigin;
  readonly #bytes = new Uint8Array(BUFFER_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);
  #sent: DataView = new DataView(new ArrayBuffer(0));
  #used = 0;
  /** Made once, of small integers only: what is allocated for a message pushes other things out of the caches. */
  readonly #head: PacketHead = { high: 0, low: 0, origin: Origin.CLIENT, fds: 0, timers: undefined };
  readonly #device: { readonly timersRun: number } | undefined;
  #timersRun = 0;

  /** Makes the file (mode 0600); it must not exist. `device` counts its timers, if who traces has it at hand. */
  constructor(file: string, name: string, device?: { readonly timersRun: number }) {
    this.file = file;
    this.#device = device;
    this.#timersRun = device?.timersRun ?? 0;
    this.#fd = openSync(file, 'wx', 0o600);
    this.#write(pcapngHead(name));
    if (this.failure) this.close();
  }

  received(frame: Frame): void {
    this.#record(Origin.CLIENT, frame.fds.length, frame.view, frame.start - HEADER_BYTES, frame.length + HEADER_BYTES);
  }

  sent(bytes: Uint8Array, length: number, fds: number): void {
    // Most replies are made in one buffer.
    if (this.#sent.buffer !== bytes.buffer || this.#sent.byteOffset !== bytes.byteOffset) this.#sent = viewOf(bytes);
    this.#record(Origin.SERVER, fds, this.#sent, 0, length);
  }

  random(bytes: Uint8Array): void {
    this.#record(Origin.RANDOM, 0, viewOf(bytes), 0, bytes.length);
  }

  flush(): void {
    if (this.#used > 0) this.#write(this.#bytes.subarray(0, this.#used));
    this.#used = 0;
  }

  /** Throws TRACE when not all of it is in the file. */
  close(): void {
    this.flush();
    closeSync(this.#fd);
    this.#throwFailure();
  }

  #record(origin: Origin, fds: number, source: DataView, start: number, length: number): void {
    if (this.failure !== undefined) return;
    if (origin !== Origin.RANDOM) this.messages++;
    const size = packetBytes(length);
    if (this.#used + size > BUFFER_BYTES) this.flush();
    const ns = (this.#origin + performance.now()) * 1e6;
    const record = this.#head;
    record.high = Math.floor(ns / 4294967296);
    record.low = (ns - record.high * 4294967296) | 0;
    record.origin = origin;
    record.fds = fds;
    record.timers = this.#timers();
    if (size > BUFFER_BYTES) {
      const large = new Uint8Array(size);
      writePacket(new DataView(large.buffer), large, 0, record, source, start, length);
      this.#write(large);
    } else this.#used += writePacket(this.#view, this.#bytes, this.#used, record, source, start, length);
  }

  /** Timers of the device that ran since the last message. */
  #timers(): number | undefined {
    if (this.#device === undefined) return undefined;
    const before = this.#timersRun;
    this.#timersRun = this.#device.timersRun;
    return this.#timersRun - before;
  }

  #write(bytes: Uint8Array): void {
    if (this.failure !== undefined) return;
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd, bytes, done);
      this.#written += bytes.length;
    } catch (cause) {
      const reason = (cause as Error).message;
      const message = `the trace in ${JSON.stringify(this.file)} ended by itself before message ${this.messages}: ${reason}`;
      this.failure = new VfioUserError('TRACE', message, { cause });
      this.#cutHalfBlock();
    }
  }

  #cutHalfBlock(): void {
    try {
      ftruncateSync(this.#fd, this.#written);
    } catch {
      // What cannot be cut stays: a reader says that the file ends in the middle of a block.
    }
  }

  #throwFailure(): void {
    if (this.failure) throw this.failure;
  }
}
