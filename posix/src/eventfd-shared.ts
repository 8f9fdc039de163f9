/**
 * Eventfds that someone else owns too. O_NONBLOCK belongs to the open file, so its other owner can turn it off at any
 * moment, and a write to a full counter, or a read of an empty one, then waits for as long as that one likes. Neither of
 * these calls ever does.
 */
import { closeSync, openSync } from 'node:fs';
import { POLLIN, POLLOUT, poll, setNonblocking } from './descriptors.ts';
import { PosixError } from './errors.ts';
import { eventfdRead, eventfdWrite } from './eventfd.ts';
import { address, bind, errno, failure, syscall } from './libc.ts';

const EAGAIN = 11;
const EOPNOTSUPP = 95;
const RWF_NOWAIT = 8;

// linux/aio_abi.h
const IOCB_CMD_PREAD = 0;
const IOCB_FLAG_RESFD = 1;
const IOCB_BYTES = 64;
const EVENT_BYTES = 32;
/** Completions that may wait to be taken out. */
const EVENTS = 32;

const preadv2 = bind('preadv2', ['int', 'pointer', 'int', 'int64_t', 'int'], 'long');

/** Adds 1 to the counter: wakes whoever polls it. A full counter stays full, which wakes as well. */
export function eventfdSignal(fd: number): void {
  aio ??= KernelSignal.make() ?? 'none';
  if (aio !== 'none') {
    aio.signal(fd);
    return;
  }
  // The best there is without AIO: only an owner that turns O_NONBLOCK off just in between makes this wait.
  if (!isReady(fd, POLLOUT)) return;
  setNonblocking(fd, true);
  eventfdWrite(fd);
}

/** Takes the counter's value and sets it to 0; 0n when nothing was added since the last call. */
export function eventfdTake(fd: number): bigint {
  vector ??= readVector();
  if (preadv2(fd, vector.iovec, 1, -1, RWF_NOWAIT) !== -1) return vector.value.readBigUInt64LE();
  const number = errno();
  if (number === EAGAIN) return 0n;
  if (number !== EOPNOTSUPP) throw failure('preadv2', [fd]);
  // Before Linux 5.8.
  if (!isReady(fd, POLLIN)) return 0n;
  setNonblocking(fd, true);
  return eventfdRead(fd);
}

let aio: KernelSignal | 'none' | undefined;
let vector: { iovec: Buffer; value: Buffer } | undefined;

/**
 * Makes the kernel signal, which never waits: it does so when an asynchronous request ends, and a read of /dev/null ends
 * at once.
 */
class KernelSignal {
  readonly #context: number;
  readonly #request = bytes(IOCB_BYTES);
  readonly #requests = bytes(8);
  readonly #events = bytes(EVENTS * EVENT_BYTES);

  private constructor(context: number, nothing: number) {
    this.#context = context;
    this.#request.writeUInt16LE(IOCB_CMD_PREAD, 16);
    this.#request.writeInt32LE(nothing, 20);
    this.#request.writeUInt32LE(IOCB_FLAG_RESFD, 56);
    this.#requests.writeBigUInt64LE(address(this.#request));
    process.once('exit', () => {
      aio = 'none';
      closeSync(nothing);
      syscall('io_destroy', [context], []);
    });
  }

  /** Undefined where the kernel has no AIO or no more of it, or this process no /dev/null. Not tried again. */
  static make(): KernelSignal | undefined {
    const context = bytes(8);
    let nothing: number;
    try {
      nothing = openSync('/dev/null', 'r');
    } catch {
      return undefined;
    }
    try {
      syscall('io_setup', [EVENTS, context], [EVENTS]);
    } catch (error) {
      closeSync(nothing);
      if (error instanceof PosixError) return undefined;
      throw error;
    }
    return new KernelSignal(Number(context.readBigUInt64LE()), nothing);
  }

  signal(fd: number): void {
    this.#request.writeInt32LE(fd, 60);
    try {
      this.#submit(fd);
    } catch (error) {
      if (!(error instanceof PosixError) || error.errno !== EAGAIN) throw error;
      syscall('io_getevents', [this.#context, 0, EVENTS, this.#events, 0], [0, EVENTS]);
      this.#submit(fd);
    }
  }

  #submit(fd: number): void {
    syscall('io_submit', [this.#context, 1, this.#requests], [fd]);
  }
}

function isReady(fd: number, events: number): boolean {
  return poll([{ fd, events }], 0)[0] !== 0;
}

function readVector(): { iovec: Buffer; value: Buffer } {
  const [iovec, value] = [bytes(16), bytes(8)];
  iovec.writeBigUInt64LE(address(value));
  iovec.writeBigUInt64LE(8n, 8);
  return { iovec, value };
}

/** Memory that V8 does not move. */
function bytes(length: number): Buffer {
  return Buffer.from(new ArrayBuffer(length));
}
