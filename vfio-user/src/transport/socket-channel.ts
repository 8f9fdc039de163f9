import { closeSync } from 'node:fs';
import {
  closeAll,
  MessageReceiver,
  MessageSender,
  POLLIN,
  PollSet,
  PosixError,
  setSocketTimeouts,
  socketpair,
} from '@kata-mock/posix';
import { VfioUserError } from '../errors.ts';
import { type Framer, MAX_MESSAGE_FDS } from '../protocol/index.ts';
import type { Channel, FillResult } from './channel.ts';

/** How long a receive blocks before the channel turns to poll, ms: bounds what a busy worker lets others wait. */
const RECEIVE_MS = 10;
/** A client that takes nothing for so long is gone, ms. */
const SEND_MS = 5000;

/** Descriptors that are looked at while the channel waits. */
export interface ExtraDescriptors {
  list(): number[];
  ready(fd: number): void;
}

/**
 * A connected socket. While messages come it sits in a blocking recvmsg, the fastest way to wait; once nothing came for
 * a while it waits in poll, together with a descriptor that others wake it by.
 */
export class SocketChannel implements Channel {
  readonly fd: number;
  readonly #extra: ExtraDescriptors;
  readonly #wakeFd: number | undefined;
  #receiver: MessageReceiver | undefined;
  #sender: MessageSender | undefined;
  /** The arrays those two work on. */
  #receiveBytes: Uint8Array | undefined;
  #sendBytes: Uint8Array | undefined;
  #hot = true;

  /** Owns `fd`. `wakeFd` becomes readable to end a wait. */
  constructor(fd: number, wakeFd?: number, extra: ExtraDescriptors = { list: () => [], ready: () => {} }) {
    this.fd = fd;
    this.#wakeFd = wakeFd;
    this.#extra = extra;
    setSocketTimeouts(fd, { receiveMs: RECEIVE_MS, sendMs: SEND_MS });
  }

  send(bytes: Uint8Array, length: number, fds: readonly number[]): void {
    if (this.#sendBytes !== bytes) {
      this.#sender = new MessageSender(this.fd, { capacity: 0, buffer: bytes });
      this.#sendBytes = bytes;
    }
    const sender = this.#sender!;
    try {
      let done = fds.length > 0 ? sender.send(0, length, { fds }) : sender.send(0, length);
      while (done < length) done += sender.send(done, length - done);
    } catch (cause) {
      throw new VfioUserError('DISCONNECTED', 'the client does not take messages any more', { cause });
    }
  }

  fill(framer: Framer, timeoutMs: number): FillResult {
    if (!this.#hot || timeoutMs < RECEIVE_MS) {
      if (!this.#poll(timeoutMs)) return 'idle';
      this.#hot = true;
    }
    const at = framer.reserve();
    if (this.#receiveBytes !== framer.bytes) {
      this.#receiver = new MessageReceiver(this.fd, { capacity: 0, maxFds: MAX_MESSAGE_FDS, buffer: framer.bytes });
      this.#receiveBytes = framer.bytes;
    }
    const receiver = this.#receiver!;
    let count: number;
    try {
      count = receiver.receive(at, framer.bytes.length - at);
    } catch (error) {
      if (error instanceof PosixError && error.code === 'EAGAIN') {
        this.#hot = false;
        return 'idle';
      }
      return 'closed';
    }
    const { fds } = receiver;
    if (count === 0) {
      closeAll(fds);
      return 'closed';
    }
    if (fds.length === 0) framer.received(count);
    else closeAll(framer.received(count, fds));
    return 'data';
  }

  openTwin(): { channel: Channel; remoteFd: number } {
    const [ours, remoteFd] = socketpair();
    return { channel: new SocketChannel(ours, this.#wakeFd), remoteFd };
  }

  close(): void {
    closeSync(this.fd);
  }

  #poll(timeoutMs: number): boolean {
    const extra = this.#extra.list();
    const fds = [this.fd, ...extra];
    if (this.#wakeFd !== undefined) fds.push(this.#wakeFd);
    const set = new PollSet(fds.map((fd) => ({ fd, events: POLLIN })));
    const timeout = timeoutMs === Number.POSITIVE_INFINITY ? -1 : Math.max(0, Math.ceil(timeoutMs));
    const revents = set.wait(timeout);
    extra.forEach((fd, index) => {
      if (revents[index + 1] !== 0) this.#extra.ready(fd);
    });
    return revents[0] !== 0;
  }
}
