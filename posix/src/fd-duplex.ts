import { closeSync, fstatSync, readSync, writeSync } from 'node:fs';
import { Duplex, type DuplexOptions } from 'node:stream';
import { SHUT_WR, shutdown } from './socket.ts';
import { FdWatcher } from './watcher.ts';

const READ_SIZE = 64 * 1024;

export interface FdDuplexOptions extends Pick<DuplexOptions, 'allowHalfOpen' | 'highWaterMark'> {
  /** Leave the descriptor open at destroy. Default false: the stream owns it. */
  keepOpen?: boolean;
}

/**
 * A stream over any descriptor that can be polled and that `net.Socket` refuses: vsock, virtio-serial port, terminal.
 * It reads only what the reader asks for and writes no faster than the descriptor takes. Ending it shuts down the
 * writing direction of a socket; destroying it closes the descriptor at once. Makes the descriptor non-blocking.
 */
export class FdDuplex extends Duplex {
  readonly fd: number;
  readonly #watcher: FdWatcher;
  readonly #keepOpen: boolean;
  readonly #characterDevice: boolean;
  readonly #readBuffer = Buffer.allocUnsafeSlow(READ_SIZE);
  #reading = false;
  #unwritten: { chunk: Uint8Array; done: (error?: Error | null) => void } | undefined;

  constructor(fd: number, options: FdDuplexOptions = {}) {
    const { keepOpen = false, ...stream } = options;
    super({ ...stream, decodeStrings: true });
    this.fd = fd;
    this.#keepOpen = keepOpen;
    this.#characterDevice = fstatSync(fd).isCharacterDevice();
    this.#watcher = new FdWatcher(fd, { readable: () => this.#readSome(), writable: () => this.#writeSome() });
  }

  /** The stream keeps the program running while it reads or writes (the default)… */
  ref(): this {
    this.#watcher.ref(true);
    return this;
  }

  /** …or does not. */
  unref(): this {
    this.#watcher.ref(false);
    return this;
  }

  override _read(): void {
    this.#reading = true;
    this.#watch();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#unwritten = { chunk, done };
    this.#writeSome();
  }

  override _final(done: (error?: Error | null) => void): void {
    try {
      shutdown(this.fd, SHUT_WR);
    } catch {
      // Not a socket, or its peer is gone already: there is no direction to end.
    }
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#watcher.close();
    const pending = this.#unwritten;
    this.#unwritten = undefined;
    try {
      if (!this.#keepOpen) closeSync(this.fd);
      done(error);
    } catch (failed) {
      done(error ?? (failed as Error));
    }
    // The stream answers for writes that wait; this one is with us.
    pending?.done(error ?? destroyed());
  }

  #readSome(): void {
    // One read a turn: other streams get theirs, and what is left makes the descriptor readable again.
    let bytes: number;
    try {
      bytes = readSync(this.fd, this.#readBuffer, 0, READ_SIZE, null);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EAGAIN' || code === 'EINTR') return;
      // The master of a terminal reports that nobody has the slave open any more as EIO.
      if (code !== 'EIO' || !this.#characterDevice) {
        this.destroy(error as Error);
        return;
      }
      bytes = 0;
    }
    this.#reading = bytes > 0 && this.push(Buffer.from(this.#readBuffer.subarray(0, bytes)));
    if (bytes === 0) this.push(null);
    this.#watch();
  }

  #writeSome(): void {
    const pending = this.#unwritten;
    if (!pending) return;
    try {
      while (pending.chunk.byteLength > 0) pending.chunk = pending.chunk.subarray(writeSync(this.fd, pending.chunk));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EAGAIN' || code === 'EINTR') {
        this.#watch();
        return;
      }
      this.#unwritten = undefined;
      pending.done(error as Error);
      return;
    }
    this.#unwritten = undefined;
    this.#watch();
    pending.done();
  }

  #watch(): void {
    this.#watcher.watch({ readable: this.#reading, writable: this.#unwritten !== undefined });
  }
}

/** As Node's own streams say it of writes that were waiting. */
function destroyed(): Error {
  return Object.assign(new Error('Cannot finish a write after the stream was destroyed'), {
    code: 'ERR_STREAM_DESTROYED',
  });
}
