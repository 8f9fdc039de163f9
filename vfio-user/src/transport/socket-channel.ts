import { closeSync } from 'node:fs';
import {
  closeAll,
  IDLE,
  type MessageExchange,
  MessageSender,
  messageExchange,
  POLLIN,
  PollSet,
  sendWithin,
  socketpair,
} from '@kata-mock/posix';
import { VfioUserError } from '../errors.ts';
import { type Framer, MAX_MESSAGE_FDS } from '../protocol/index.ts';
import type { Channel, FillResult } from './channel.ts';

/** How long a receive blocks, up to twice, before the channel turns to poll, ms: bounds what a busy worker lets others wait. */
const RECEIVE_MS = 10;
/** A client that has not taken a whole message in this time is gone, ms. */
const SEND_MS = 5000;
/** Messages without a pause after which the descriptors of others are looked at all the same. */
const LOOK_EVERY = 32;
const NOTHING = new Uint8Array(0);

/** Descriptors that are looked at while the channel waits, and who wants to know of its own. */
export interface ExtraDescriptors {
  /** Asked for with every message. */
  list(): readonly number[];
  ready(fd: number): void;
  /** The channel has a descriptor of its own, and is about to close it; a second channel for the same peer has another. */
  opened?(fd: number): void;
  closing?(fd: number): void;
}

/**
 * A connected socket. While messages come it sits in a blocking receive, the fastest way to wait, and a reply goes out
 * in the same call of native code; once nothing came for a while it waits in poll, together with a descriptor that
 * others wake it by.
 */
export class SocketChannel implements Channel {
  readonly fd: number;
  readonly #extra: ExtraDescriptors;
  readonly #wakeFd: number | undefined;
  #exchange: MessageExchange | undefined;
  #sender: MessageSender | undefined;
  /** The arrays those two work on. */
  #receiveBytes: Uint8Array | undefined;
  #laterBytes: Uint8Array = NOTHING;
  #sendBytes: Uint8Array | undefined;
  /** Bytes kept back by {@link sendLater}. */
  #later = 0;
  #hot = true;
  /** The number may be someone else's connection by now. */
  #closed = false;
  /** Messages since the others' descriptors were looked at. */
  #unlooked = 0;

  /** Owns `fd`. `wakeFd` becomes readable to end a wait. */
  constructor(fd: number, wakeFd?: number, extra: ExtraDescriptors = { list: () => [], ready: () => {} }) {
    this.fd = fd;
    this.#wakeFd = wakeFd;
    this.#extra = extra;
    extra.opened?.(fd);
  }

  send(bytes: Uint8Array, length: number, fds: readonly number[]): void {
    this.flush();
    this.#send(bytes, length, fds);
  }

  sendLater(bytes: Uint8Array, length: number): void {
    this.flush();
    if (this.#laterBytes !== bytes) {
      this.#laterBytes = bytes;
      this.#endExchange();
    }
    this.#later = length;
  }

  flush(): void {
    if (this.#later === 0) return;
    const length = this.#later;
    this.#later = 0;
    this.#send(this.#laterBytes, length, []);
  }

  fill(framer: Framer, timeoutMs: number): FillResult {
    // A closed channel is never hot, which spares the hot path the question.
    if (!this.#hot || timeoutMs < 2 * RECEIVE_MS || this.#shouldLook()) {
      if (this.#closed || !this.#canFinish()) return 'closed';
      if (!this.#poll(timeoutMs)) return 'idle';
      this.#hot = true;
    }
    const { bytes } = framer;
    const at = framer.reserve();
    const later = this.#later;
    this.#later = 0;
    let count: number;
    try {
      if (this.#exchange === undefined || this.#receiveBytes !== bytes) this.#exchange = this.#exchangeWith(bytes);
      count = this.#exchange.exchange(later, at, bytes.length - at);
    } catch {
      return 'closed';
    }
    if (count === IDLE) {
      this.#hot = false;
      return 'idle';
    }
    const { fds } = this.#exchange;
    // More descriptors than were agreed on: without them the message would say something else.
    if (count === 0 || this.#exchange.truncated) {
      closeAll(fds);
      return 'closed';
    }
    if (fds.length === 0) framer.received(count);
    else closeAll(framer.received(count, fds));
    return 'data';
  }

  #exchangeWith(receive: Uint8Array): MessageExchange {
    this.#endExchange();
    this.#receiveBytes = receive;
    return messageExchange(this.fd, {
      receive,
      send: this.#laterBytes,
      maxFds: MAX_MESSAGE_FDS,
      idleMs: RECEIVE_MS,
      sendMs: SEND_MS,
    });
  }

  #endExchange(): void {
    this.#exchange?.settle();
    this.#exchange = undefined;
  }

  #send(bytes: Uint8Array, length: number, fds: readonly number[]): void {
    if (this.#closed) throw new VfioUserError('DISCONNECTED', 'the connection is closed');
    if (this.#sendBytes !== bytes) {
      this.#sender = new MessageSender(this.fd, { capacity: 0, buffer: bytes });
      this.#sendBytes = bytes;
    }
    try {
      sendWithin(this.#sender!, length, { withinMs: SEND_MS, fds });
    } catch (cause) {
      throw new VfioUserError('DISCONNECTED', 'the client does not take messages any more', { cause });
    }
  }

  openTwin(): { channel: Channel; remoteFd: number } {
    const [ours, remoteFd] = socketpair();
    const { opened, closing } = this.#extra;
    const extra = { list: () => [], ready: () => {}, opened, closing };
    return { channel: new SocketChannel(ours, this.#wakeFd, extra), remoteFd };
  }

  close(): void {
    if (this.#closed) return;
    this.#canFinish();
    this.#closed = true;
    this.#hot = false;
    this.#extra.closing?.(this.fd);
    closeSync(this.fd);
  }

  /** Sends what was kept back and takes out what was received. False when the client has gone. */
  #canFinish(): boolean {
    try {
      this.flush();
      this.#exchange?.settle();
      return true;
    } catch {
      return false;
    }
  }

  /** A guest that reads on and on must not keep an interrupt line masked, whose unmasking it may wait for. */
  #shouldLook(): boolean {
    return this.#extra.list().length > 0 && ++this.#unlooked >= LOOK_EVERY;
  }

  #poll(timeoutMs: number): boolean {
    this.#unlooked = 0;
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
