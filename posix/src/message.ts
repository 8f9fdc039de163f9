/**
 * recvmsg and sendmsg with descriptors. The structures a call needs (msghdr, iovec, control buffer) are built once
 * in an object and only patched per call, because this is the hot path of the device server.
 */
import { closeAll, POLLOUT, poll } from './descriptors.ts';
import { PosixError, refuse, word } from './errors.ts';
import { address, errno, failure, holding, load } from './libc.ts';
import { assertFdCount, controlSpace, Message, withDescriptors } from './message-header.ts';

export const MSG_PEEK = 0x2;
export const MSG_CTRUNC = 0x8;
export const MSG_TRUNC = 0x20;
export const MSG_DONTWAIT = 0x40;
export const MSG_WAITALL = 0x100;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;

const EINTR = 4;
const NO_FDS: readonly number[] = Object.freeze([]);

const NO_OPTIONS = Object.freeze({});
type Transfer = (fd: number, message: number, flags: number) => number;
type Send = (fd: number, bytes: number, length: number, flags: number) => number;
let sendFunction: Send | undefined;
let recvmsgFunction: Transfer | undefined;
let sendmsgFunction: Transfer | undefined;

/**
 * Receives into one buffer that is made once. `fds` and `flags` tell of the last {@link receive}; its descriptors
 * belong to the caller, close-on-exec. When the control data did not fit (MSG_CTRUNC), those that did arrive are
 * closed and `fds` is empty: a message that is not whole must not be acted on.
 */
export class MessageReceiver {
  /** Where the data lands. */
  readonly buffer: Buffer;
  readonly fd: number;
  fds: readonly number[] = NO_FDS;
  flags = 0;
  readonly #message: Message;
  readonly #start: bigint;
  readonly #controlSize: number;
  readonly #call: Transfer;
  /** What the vector says now: most calls ask for the same bytes again. */
  #offset = -1;
  #length = -1;

  constructor(fd: number, options: { capacity: number; maxFds?: number; buffer?: Uint8Array }) {
    const { capacity, maxFds = 0, buffer } = options;
    assertFdCount('recvmsg', maxFds);
    this.fd = fd;
    this.buffer = buffer
      ? Buffer.from(buffer.buffer, buffer.byteOffset, buffer.byteLength)
      : Buffer.from(new ArrayBuffer(capacity));
    this.#message = new Message(1, maxFds);
    this.#start = address(this.buffer);
    this.#controlSize = controlSpace(maxFds);
    recvmsgFunction ??= load('recvmsg', ['int', 'uint64_t', 'int'], 'long') as Transfer;
    this.#call = recvmsgFunction;
  }

  /**
   * One recvmsg into `buffer` from `offset`, at most `length` bytes. Blocks unless the socket or `flags`
   * (MSG_DONTWAIT) say otherwise; then EAGAIN is thrown. Returns the number of bytes, 0 at the end of the stream.
   */
  receive(offset: number, length: number, flags = 0): number {
    if (offset < 0 || length < 0 || offset + length > this.buffer.byteLength) {
      throw refuse('recvmsg', 'EINVAL', [this.fd, offset, length], `the buffer has ${this.buffer.byteLength} bytes`);
    }
    const message = this.#message;
    if (offset !== this.#offset || length !== this.#length) {
      message.setVector(0, this.#start + BigInt(offset), length);
      this.#offset = offset;
      this.#length = length;
    }
    message.setControlLength(this.#controlSize);
    this.fds = NO_FDS;
    const call = this.#call;
    let bytes: number;
    do bytes = call(this.fd, message.address, flags | MSG_CMSG_CLOEXEC);
    while (bytes === -1 && interrupted('recvmsg', this.fd, length, flags));
    this.flags = message.flags;
    if (message.controlLength > 0) this.#takeDescriptors();
    return bytes;
  }

  #takeDescriptors(): void {
    const fds = this.#message.descriptors();
    if (this.flags & MSG_CTRUNC) closeAll(fds);
    else this.fds = fds;
  }
}

/** Sends from one buffer that is made once, with descriptors where asked. */
export class MessageSender {
  /** Put the data here before {@link send}. */
  readonly buffer: Buffer;
  readonly fd: number;
  readonly #start: number;
  readonly #call: Send;

  constructor(fd: number, options: { capacity: number; buffer?: Uint8Array }) {
    this.fd = fd;
    this.buffer = options.buffer
      ? Buffer.from(options.buffer.buffer, options.buffer.byteOffset, options.buffer.byteLength)
      : Buffer.from(new ArrayBuffer(options.capacity));
    this.#start = Number(address(this.buffer));
    sendFunction ??= load('send', ['int', 'uint64_t', 'size_t', 'int'], 'long') as Send;
    this.#call = sendFunction;
  }

  /** One message of `length` bytes from `offset`. Returns how many went out, which may be fewer; never raises SIGPIPE. */
  send(offset: number, length: number, options: { fds?: readonly number[]; flags?: number } = NO_OPTIONS): number {
    if (offset < 0 || length < 0 || offset + length > this.buffer.byteLength) {
      throw refuse('sendmsg', 'EINVAL', [this.fd, offset, length], `the buffer has ${this.buffer.byteLength} bytes`);
    }
    const { fds, flags = 0 } = options;
    if (fds !== undefined && fds.length > 0) {
      const message = withDescriptors(1, fds);
      message.setVector(0, BigInt(this.#start + offset), length);
      return transmit(this.fd, message, flags, length);
    }
    // Without descriptors the plain call does, and costs less.
    const call = this.#call;
    let bytes: number;
    do bytes = call(this.fd, this.#start + offset, length, flags | MSG_NOSIGNAL);
    while (bytes === -1 && interrupted('send', this.fd, length, flags));
    return bytes;
  }
}

/**
 * Sends the first `length` bytes of a sender's buffer, descriptors with the first of them. EAGAIN when the other side has
 * not taken all of it within `withinMs`: the time limit of a socket begins anew whenever a little was taken.
 */
export function sendWithin(
  sender: MessageSender,
  length: number,
  options: { withinMs: number; fds?: readonly number[] },
): void {
  let deadline: number | undefined;
  for (let done = 0; done < length; ) {
    try {
      const fds = done === 0 ? options.fds : undefined;
      done += sender.send(done, length - done, { fds, flags: MSG_DONTWAIT });
    } catch (error) {
      if (!(error instanceof PosixError) || error.code !== 'EAGAIN') throw error;
      deadline ??= performance.now() + options.withinMs;
      const left = deadline - performance.now();
      if (left <= 0) throw error;
      poll([{ fd: sender.fd, events: POLLOUT }], left === Number.POSITIVE_INFINITY ? -1 : Math.ceil(left));
    }
  }
}

/**
 * One recvmsg into `buffer`. Received descriptors are the caller's; when more came than `maxFds` (default 0), all of
 * them are closed and `flags` has MSG_CTRUNC. For a loop use {@link MessageReceiver}.
 */
export function recvmsg(
  fd: number,
  buffer: Uint8Array,
  options: { maxFds?: number; flags?: number } = {},
): { bytes: number; fds: number[]; flags: number } {
  const receiver = new MessageReceiver(fd, { capacity: 0, maxFds: options.maxFds ?? 0, buffer });
  const bytes = receiver.receive(0, buffer.byteLength, options.flags ?? 0);
  return { bytes, fds: [...receiver.fds], flags: receiver.flags };
}

/** One sendmsg of one or more pieces. Returns how many bytes went out, which may be fewer than asked. */
export function sendmsg(
  fd: number,
  pieces: Uint8Array | readonly Uint8Array[],
  options: { fds?: readonly number[]; flags?: number } = {},
): number {
  const list = pieces instanceof Uint8Array ? [pieces] : pieces;
  const { fds = NO_FDS, flags = 0 } = options;
  const message = withDescriptors(list.length, fds);
  let length = 0;
  list.forEach((piece, index) => {
    message.setVector(index, address(piece), piece.byteLength);
    length += piece.byteLength;
  });
  return holding(list, () => transmit(fd, message, flags, length));
}

function transmit(fd: number, message: Message, flags: number, length: number): number {
  sendmsgFunction ??= load('sendmsg', ['int', 'uint64_t', 'int'], 'long') as Transfer;
  let bytes: number;
  do bytes = sendmsgFunction(fd, message.address, flags | MSG_NOSIGNAL);
  while (bytes === -1 && interrupted('sendmsg', fd, length, flags));
  return bytes;
}

/** True when a signal interrupted the call, which is then made again; throws any other failure. */
function interrupted(syscall: string, fd: number, length: number, flags: number): true {
  if (errno() === EINTR) return true;
  throw failure(syscall, [fd, word(`<${length} bytes>`), flags]);
}
