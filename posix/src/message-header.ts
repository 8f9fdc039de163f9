/** The structures of recvmsg and sendmsg, as bytes that the kernel reads and writes. */
import { refuse, word } from './errors.ts';
import { address } from './libc.ts';

/** The kernel's own limit of descriptors in one message (SCM_MAX_FD). */
export const MAX_MESSAGE_FDS = 253;

const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
// struct msghdr of 64-bit Linux, in bytes.
const MSGHDR_SIZE = 56;
const MSGHDR_IOV = 16;
const MSGHDR_IOVLEN = 24;
const MSGHDR_CONTROL = 32;
const MSGHDR_CONTROLLEN = 40;
const MSGHDR_FLAGS = 48;
const IOVEC_SIZE = 16;
const CMSGHDR_SIZE = 16;

const align = (bytes: number) => (bytes + 7) & ~7;
export const controlSpace = (fds: number) => (fds === 0 ? 0 : align(CMSGHDR_SIZE + 4 * fds));

/** msghdr, one or more iovecs and a control buffer in one block of memory that does not move. */
export class Message {
  readonly block: Buffer;
  readonly words: BigUint64Array;
  /** The same in 32-bit words: cheaper to read than through the Buffer's methods, and without bigints. */
  readonly fields: Uint32Array;
  /** Address of the block, as a number: passing it costs less than passing the array. */
  readonly address: number;
  readonly control: number;
  readonly #iov = MSGHDR_SIZE;

  constructor(iovecs: number, maxFds: number) {
    this.control = MSGHDR_SIZE + iovecs * IOVEC_SIZE;
    // Never pooled: the addresses inside must stay true for the object's life.
    this.block = Buffer.from(new ArrayBuffer(this.control + controlSpace(maxFds) + 8));
    this.words = new BigUint64Array(this.block.buffer, 0, this.control / 8);
    this.fields = new Uint32Array(this.block.buffer, 0, this.control / 4);
    const start = address(this.block);
    this.address = Number(start);
    this.words[MSGHDR_IOV / 8] = start + BigInt(this.#iov);
    this.words[MSGHDR_IOVLEN / 8] = BigInt(iovecs);
    this.words[MSGHDR_CONTROL / 8] = maxFds === 0 ? 0n : start + BigInt(this.control);
  }

  setVector(index: number, start: bigint, length: number): void {
    const word = (this.#iov + index * IOVEC_SIZE) / 8;
    this.words[word] = start;
    this.words[word + 1] = BigInt(length);
  }

  setControlLength(bytes: number): void {
    // The upper half is always 0; a number is cheaper than a bigint.
    this.fields[MSGHDR_CONTROLLEN / 4] = bytes;
  }

  get controlLength(): number {
    return this.fields[MSGHDR_CONTROLLEN / 4]!;
  }

  get flags(): number {
    return this.fields[MSGHDR_FLAGS / 4]!;
  }

  /** Descriptors that a receive has put into the control buffer. */
  descriptors(): number[] {
    const { block, control, controlLength } = this;
    const fds: number[] = [];
    for (let at = 0; at + CMSGHDR_SIZE <= controlLength; ) {
      const length = block.readUInt32LE(control + at);
      if (length < CMSGHDR_SIZE) break;
      const rights =
        block.readInt32LE(control + at + 8) === SOL_SOCKET && block.readInt32LE(control + at + 12) === SCM_RIGHTS;
      const end = Math.min(at + length, controlLength);
      for (let next = at + CMSGHDR_SIZE; rights && next + 4 <= end; next += 4)
        fds.push(block.readInt32LE(control + next));
      at += align(length);
    }
    return fds;
  }
}

/** A message to send, with these descriptors attached. */
export function withDescriptors(iovecs: number, fds: readonly number[]): Message {
  assertFdCount('sendmsg', fds.length);
  const message = new Message(iovecs, fds.length);
  if (fds.length === 0) return message;
  const { block, control } = message;
  message.setControlLength(controlSpace(fds.length));
  block.writeUInt32LE(CMSGHDR_SIZE + 4 * fds.length, control);
  block.writeInt32LE(SOL_SOCKET, control + 8);
  block.writeInt32LE(SCM_RIGHTS, control + 12);
  fds.forEach((descriptor, index) => {
    block.writeInt32LE(descriptor, control + CMSGHDR_SIZE + 4 * index);
  });
  return message;
}

export function assertFdCount(syscall: string, count: number): void {
  if (count < 0 || count > MAX_MESSAGE_FDS) {
    throw refuse(
      syscall,
      'EINVAL',
      [word(`<${count} descriptors>`)],
      `a message carries 0 to ${MAX_MESSAGE_FDS} descriptors`,
    );
  }
}
