import { VfioUserError } from '../errors.ts';
import {
  Command,
  commandName,
  type DmaLayout,
  dmaData,
  Errno,
  encodeDmaRead,
  encodeDmaWrite,
  encodeMessage,
  errnoName,
  type Frame,
  HeaderFlag,
} from '../protocol/index.ts';
import type { DmaMessages } from './dma-table.ts';
import type { Session } from './session.ts';

/** How long a client may take to answer DMA_READ or DMA_WRITE, ms. */
const REPLY_MS = 5000;
/** QEMU writes its answer in one piece to a non-blocking socket, so it must fit the socket's buffer (208 KiB). */
const QEMU_PIECE_BYTES = 64 << 10;

interface Pending {
  id: number;
  command: number;
  target: Uint8Array | undefined;
  /** Undefined while waiting. */
  outcome: 'done' | VfioUserError | undefined;
  replyBytes: number;
}

/**
 * The server's own commands: guest memory by messages. One at a time, and only while no command of the client waits for
 * its answer, because a client may serve DMA only after that (QEMU does).
 */
export class DmaRequests implements DmaMessages {
  readonly #session: Session;
  #nextId = 1;
  /** How this client lays DMA messages out, once that is known. */
  #layout: DmaLayout | undefined;
  #pending: Pending | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  read(address: bigint, target: Uint8Array, check: () => void): void {
    const layout = this.#layoutFor(address);
    this.#pieces(target, check, (part, at) => {
      const payload = encodeDmaRead({ address: address + BigInt(at), count: part.length }, layout);
      this.#request(Command.DMA_READ, payload, part);
    });
  }

  write(address: bigint, source: Uint8Array, check: () => void): void {
    const layout = this.#layoutFor(address);
    this.#pieces(source, check, (part, at) => {
      this.#request(Command.DMA_WRITE, encodeDmaWrite(address + BigInt(at), part, layout), undefined);
    });
  }

  /**
   * QEMU 10.1 and 10.2 have a layout of their own, QEMU 11.1 that of the specification, and nothing in VERSION tells
   * them apart. A write of no bytes does: it is the same in both layouts, and only the specification's has a payload in
   * its reply.
   */
  #layoutFor(address: bigint): DmaLayout {
    if (!this.#session.isQemu) return 'spec';
    if (this.#layout === undefined) {
      const bytes = this.#request(Command.DMA_WRITE, encodeDmaWrite(address, new Uint8Array(0), 'spec'), undefined);
      this.#layout = bytes === 0 ? 'qemu' : 'spec';
    }
    return this.#layout;
  }

  /** Takes the replies to our commands, late ones too. False for any other message. */
  accept(frame: Frame): boolean {
    if ((frame.flags & HeaderFlag.TYPE_MASK) !== HeaderFlag.TYPE_REPLY) return false;
    if (frame.command !== Command.DMA_READ && frame.command !== Command.DMA_WRITE) return false;
    const pending = this.#pending;
    if (pending && !pending.outcome && frame.id === pending.id && frame.command === pending.command)
      pending.outcome = this.#outcome(frame, pending);
    return true;
  }

  #outcome(frame: Frame, pending: Pending): 'done' | VfioUserError {
    pending.replyBytes = frame.length;
    const name = commandName(frame.command);
    if ((frame.flags & HeaderFlag.ERROR) !== 0) {
      const errno = frame.errno >= 1 && frame.errno <= 4096 ? frame.errno : Errno.EINVAL;
      return new VfioUserError('DMA', `${name}: the client answered ${errnoName(errno)}`, { errno });
    }
    if (!pending.target) return 'done';
    try {
      const data = dmaData(frame, this.#layout ?? 'spec');
      if (data.length !== pending.target.length)
        return new VfioUserError('DMA', `${name}: ${data.length} of ${pending.target.length} bytes`, {
          errno: Errno.EIO,
        });
      pending.target.set(data);
      return 'done';
    } catch (cause) {
      return new VfioUserError('DMA', `${name}: malformed reply`, { errno: Errno.EIO, cause });
    }
  }

  #pieces(bytes: Uint8Array, check: () => void, visit: (part: Uint8Array, at: number) => void): void {
    const { client, isQemu } = this.#session;
    const limit = Math.max(1, Math.min(client.maxDataXferBytes, isQemu ? QEMU_PIECE_BYTES : bytes.length));
    for (let at = 0; at < bytes.length; at += limit) {
      check();
      visit(bytes.subarray(at, at + limit), at);
    }
  }

  /** Sends one command and waits for its reply. Returns the bytes of the reply's payload. */
  #request(command: number, payload: Uint8Array, target: Uint8Array | undefined): number {
    const session = this.#session;
    if (!session.server.inTask)
      throw new VfioUserError('DMA', 'guest memory without a descriptor is reached from a task only; see Bus.task', {
        errno: Errno.EBUSY,
      });
    if (this.#pending) throw new VfioUserError('DMA', 'a DMA message is under way', { errno: Errno.EBUSY });
    const pending: Pending = { id: this.#nextId, command, target, outcome: undefined, replyBytes: 0 };
    this.#nextId = (this.#nextId + 1) & 0xffff;
    this.#pending = pending;
    try {
      const message = encodeMessage({ id: pending.id, command, flags: HeaderFlag.TYPE_COMMAND, errno: 0 }, payload);
      session.sendRequest(message);
      session.waitUntil(() => pending.outcome !== undefined, REPLY_MS);
    } finally {
      this.#pending = undefined;
    }
    if (pending.outcome === undefined)
      throw session.state === 'closed'
        ? clientGone()
        : new VfioUserError('TIMEOUT', `no reply to ${commandName(command)} in ${REPLY_MS} ms`, {
            errno: Errno.ETIMEDOUT,
          });
    if (pending.outcome !== 'done') throw pending.outcome;
    return pending.replyBytes;
  }
}

export function clientGone(): VfioUserError {
  return new VfioUserError('DISCONNECTED', 'the client left before it answered a DMA message', {
    errno: Errno.ENOTCONN,
  });
}
