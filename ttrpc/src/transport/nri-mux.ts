import { Duplex } from 'node:stream';
import { Code } from '../code.ts';
import { TtrpcError } from '../errors.ts';
import { readUint32 } from '../protocol/frame.ts';

/** Connections NRI has on its one socket. */
export const NriConnection = {
  /** The plugin serves, the runtime calls. */
  PLUGIN: 1,
  /** The runtime serves, the plugin calls. */
  RUNTIME: 2,
} as const;

/** Bytes of a header: connection u32, length u32, big endian. */
const HEADER = 8;
/** Most bytes of a frame that is sent; and twice ttrpc's largest frame is the most that is taken. */
const MAX_SEND = 4 * 1024 * 1024;
const MAX_RECEIVE = 8 * 1024 * 1024 + 64;

/**
 * Several connections over one stream, as NRI does it: each piece of a connection's bytes is a frame of connection id,
 * length and bytes. The protocol opens and closes nothing: both sides know the ids, and all end with the trunk.
 */
export class Multiplexer {
  readonly #trunk: Duplex;
  readonly #channels = new Map<number, Channel>();
  readonly #header = new Uint8Array(HEADER);
  #headerLength = 0;
  #target = 0;
  /** Bytes of the current frame still to come. */
  #missing = 0;

  constructor(trunk: Duplex) {
    this.#trunk = trunk;
    trunk.on('data', (chunk: Uint8Array) => this.#push(chunk));
    trunk.on('error', (error) => this.#end(error));
    trunk.on('close', () => this.#end(undefined));
    trunk.on('end', () => trunk.destroy());
  }

  /** The stream of a connection; open it before its peer sends, what comes for an id nobody opened is dropped. */
  open(id: number): Duplex {
    if (this.#channels.has(id))
      throw new TtrpcError(Code.ALREADY_EXISTS, `connection ${id} of the trunk is open already`);
    const channel = new Channel({
      write: (bytes, done) => this.#write(id, bytes, done),
      wanted: () => this.#resume(),
      closed: () => void this.#channels.delete(id),
    });
    if (this.#trunk.destroyed) channel.destroy();
    else this.#channels.set(id, channel);
    return channel;
  }

  /** Ends the trunk and every connection on it. */
  close(): void {
    this.#trunk.destroy();
  }

  #write(id: number, bytes: Buffer, done: (error?: Error | null) => void): void {
    if (this.#trunk.destroyed) {
      done(new Error('the trunk has closed'));
      return;
    }
    this.#trunk.cork();
    let room = true;
    for (let at = 0; at < bytes.length; at += MAX_SEND) {
      const piece = bytes.subarray(at, at + MAX_SEND);
      const header = Buffer.allocUnsafe(HEADER);
      header.writeUInt32BE(id, 0);
      header.writeUInt32BE(piece.length, 4);
      this.#trunk.write(header);
      room = this.#trunk.write(piece);
    }
    this.#trunk.uncork();
    if (room || !this.#trunk.writableNeedDrain) done();
    else this.#trunk.once('drain', () => done());
  }

  #push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#missing > 0) {
        const end = Math.min(bytes.length, at + this.#missing);
        this.#missing -= end - at;
        const channel = this.#channels.get(this.#target);
        // Both connections share the trunk, so one that is not read must stop it: there is no other way to tell.
        if (channel !== undefined && !channel.push(bytes.subarray(at, end))) this.#trunk.pause();
        at = end;
        continue;
      }
      const end = Math.min(bytes.length, at + HEADER - this.#headerLength);
      this.#header.set(bytes.subarray(at, end), this.#headerLength);
      this.#headerLength += end - at;
      at = end;
      if (this.#headerLength < HEADER) return;
      this.#headerLength = 0;
      this.#target = readUint32(this.#header, 0);
      this.#missing = readUint32(this.#header, 4);
      if (this.#missing > MAX_RECEIVE) {
        const message = `frame of ${this.#missing} bytes for connection ${this.#target}: ${MAX_RECEIVE} is the most`;
        this.#trunk.destroy(new TtrpcError(Code.RESOURCE_EXHAUSTED, message));
        return;
      }
    }
  }

  #resume(): void {
    const full = [...this.#channels.values()].some((channel) => channel.full);
    if (!full && !this.#trunk.destroyed) this.#trunk.resume();
  }

  #end(error: Error | undefined): void {
    for (const channel of this.#channels.values()) channel.destroy(error);
    this.#channels.clear();
  }
}

interface ChannelHost {
  write: (bytes: Buffer, done: (error?: Error | null) => void) => void;
  wanted: () => void;
  closed: () => void;
}

class Channel extends Duplex {
  readonly #host: ChannelHost;
  /** Holds as much as its stream takes, unread. */
  full = false;

  constructor(host: ChannelHost) {
    super();
    this.#host = host;
  }

  override push(chunk: Uint8Array | null): boolean {
    const room = super.push(chunk);
    this.full = !room;
    return room;
  }

  override _read(): void {
    if (!this.full) return;
    this.full = false;
    this.#host.wanted();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#host.write(chunk, done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#host.closed();
    done(error);
  }
}
