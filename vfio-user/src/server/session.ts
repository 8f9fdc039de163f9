import { closeAll } from '@kata-mock/posix';
import { VfioUserError } from '../errors.ts';
import {
  Command,
  Errno,
  effectiveCapabilities,
  type Frame,
  Framer,
  HEADER_BYTES,
  HeaderFlag,
  MAX_MESSAGE_BYTES,
  protocolError,
  writtenReply,
} from '../protocol/index.ts';
import type { Channel } from '../transport/channel.ts';
import type { DeviceServer } from './device-server.ts';
import { handlers } from './handlers/index.ts';
import { ReplyDescriptors } from './reply-descriptors.ts';
import { clientGone, DmaRequests } from './requests.ts';

/** Sees every message of a session: traces. Frames and bytes are only valid during the call. */
export interface SessionObserver {
  received(frame: Frame): void;
  sent(bytes: Uint8Array, length: number, fds: number): void;
  /** The device took these random bytes. */
  random(bytes: Uint8Array): void;
}

/** What becomes of a command: carried out, answered as if it had been, or the end of the connection. */
export type FaultVerdict = 'serve' | 'vanish' | 'crash';

/** Changes what the client gets: faults. */
export interface SessionFaults {
  /** Before a command is carried out. Throws for an error reply. */
  command(frame: Frame): FaultVerdict;
  /** Before a reply of `length` bytes in `bytes` goes out. Returns the length to send, 0 for nothing. */
  reply(frame: Frame, bytes: Uint8Array, length: number): number;
}

/** State of a session, one word each: waiting for VERSION, serving, over. */
export type SessionState = 'new' | 'open' | 'closed';

/** One client's connection: takes frames from a channel, runs commands on the server's device, answers. */
export class Session {
  readonly server: DeviceServer;
  readonly channel: Channel;
  readonly requests: DmaRequests;
  state: SessionState = 'new';
  /** What the client said in VERSION. */
  client = effectiveCapabilities(undefined);
  /** Second channel, for our own commands. */
  twin: Channel | undefined;
  /** Some of QEMU's ways differ from the specification's. */
  isQemu = false;
  /** The reply under construction: handlers write the payload from {@link HEADER_BYTES} on. */
  readonly reply: Uint8Array;
  readonly replyView: DataView;
  readonly replyDescriptors = new ReplyDescriptors();
  readonly #framer = new Framer();
  #twinFramer: Framer | undefined;

  constructor(server: DeviceServer, channel: Channel) {
    this.server = server;
    this.channel = channel;
    this.reply = new Uint8Array(new ArrayBuffer(MAX_MESSAGE_BYTES));
    this.replyView = new DataView(this.reply.buffer);
    this.requests = new DmaRequests(this);
  }

  /** Puts a payload made elsewhere in the reply. Returns its length, as handlers do. */
  put(payload: Uint8Array): number {
    this.reply.set(payload, HEADER_BYTES);
    return payload.length;
  }

  /** Waits for bytes and handles every whole message among them. False when the session is over. */
  step(timeoutMs: number): boolean {
    if (this.state !== 'closed' && this.channel.fill(this.#framer, timeoutMs) === 'closed') this.close();
    while (this.state !== 'closed') {
      const next = this.#framer.next();
      if (next === 'partial') return true;
      this.handle(this.#framer.frame, next === 'invalid');
    }
    return false;
  }

  /** Handles one message. An `invalid` one is answered, and ends the session: what follows cannot be told apart. */
  handle(frame: Frame, invalid = false): void {
    const { server } = this;
    try {
      // The reply before this one is still where the next one will be made.
      this.channel.flush();
      if (server.observer !== undefined) server.observer.received(frame);
      if (!invalid && this.requests.accept(frame)) return;
      this.#run(frame, invalid);
    } catch (error) {
      // Only sending fails here: everything else was answered.
      this.#lost(error);
    } finally {
      if (frame.fds.length > 0) closeAll(frame.fds.splice(0));
      if (invalid) this.close();
    }
    if (!server.hasTasks) return;
    this.flush();
    if (this.state !== 'closed') server.runTasks();
  }

  /** Sends a reply that waits for the next receive: before anything that may take long. */
  flush(): void {
    if (this.state === 'closed') return;
    try {
      this.channel.flush();
    } catch (error) {
      this.#lost(error);
    }
  }

  close(): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    closeAll(this.#framer.drain());
    this.twin?.close();
    this.channel.close();
  }

  /** Sends the first `length` bytes of the reply. */
  #send(length: number, fds: readonly number[]): void {
    if (this.server.observer !== undefined) this.server.observer.sent(this.reply, length, fds.length);
    if (fds.length === 0) this.channel.sendLater(this.reply, length);
    else this.channel.send(this.reply, length, fds);
  }

  #lost(error: unknown): void {
    this.server.log('debug', 'connection lost', { reason: (error as Error).message });
    this.close();
  }

  /** Sends a command of our own, on the twin socket where there is one. Throws DISCONNECTED when that fails. */
  sendRequest(message: Uint8Array): void {
    if (this.state === 'closed') throw clientGone();
    this.server.observer?.sent(message, message.length, 0);
    try {
      (this.twin ?? this.channel).send(message, message.length, []);
    } catch (error) {
      // A part of the message may be out: nothing can follow it.
      this.#lost(error);
      throw error;
    }
  }

  /** Serves the client until `done` says so, the time is over or the session is. */
  waitUntil(done: () => boolean, timeoutMs: number): void {
    const deadline = performance.now() + timeoutMs;
    this.server.dma.outsideTask(() => {
      while (!done() && this.state !== 'closed') {
        const left = deadline - performance.now();
        if (left <= 0) break;
        if (this.twin) {
          // The client may want the answer to its own command before it answers ours.
          this.flush();
          this.#stepTwin(Math.min(left, 10));
        }
        if (!done()) this.step(this.twin ? 0 : left);
        if (this.server.wake?.()) this.close();
      }
      this.flush();
    });
  }

  /** Replies to our commands come here when there is a twin socket. */
  #stepTwin(timeoutMs: number): void {
    this.#twinFramer ??= new Framer();
    const framer = this.#twinFramer;
    if (this.twin!.fill(framer, timeoutMs) === 'closed') this.close();
    for (let next = framer.next(); next !== 'partial' && this.state !== 'closed'; next = framer.next()) {
      const frame = framer.frame;
      closeAll(frame.fds.splice(0));
      if (next === 'invalid') this.close();
      else {
        this.server.observer?.received(frame);
        this.requests.accept(frame);
      }
    }
  }

  #run(frame: Frame, invalid: boolean): void {
    let length = 0;
    let errno = 0;
    try {
      length = this.#dispatch(frame, invalid);
    } catch (error) {
      errno = this.#errnoOf(error, frame);
      length = 0;
      this.replyDescriptors.withhold();
    }
    const endsHere = errno !== 0 && this.state === 'new';
    try {
      if ((frame.flags & HeaderFlag.NO_REPLY) === 0 && this.state !== 'closed') this.#answer(frame, length, errno);
    } finally {
      this.replyDescriptors.clear();
    }
    if (endsHere) this.close();
  }

  #dispatch(frame: Frame, invalid: boolean): number {
    if (invalid) throw protocolError('message with an impossible size');
    if ((frame.flags & HeaderFlag.TYPE_MASK) !== HeaderFlag.TYPE_COMMAND) throw protocolError('not a command');
    if (this.state === 'new' && frame.command !== Command.VERSION)
      throw protocolError('the first message is not VERSION');
    const handler = handlers[frame.command];
    if (handler === undefined) throw protocolError(`no command ${frame.command}`);
    if (frame.length === 0 && frame.command !== Command.DEVICE_RESET) throw protocolError('no payload');
    this.server.migration.checkCommand(frame.command);
    const verdict = this.server.faults === undefined ? 'serve' : this.server.faults.command(frame);
    if (verdict === 'serve') return handler(this, frame);
    if (verdict === 'crash') this.close();
    return this.put(writtenReply(frame));
  }

  #answer(frame: Frame, length: number, errno: number): void {
    const view = this.replyView;
    let size = HEADER_BYTES + length;
    view.setUint16(0, frame.id, true);
    view.setUint16(2, frame.command, true);
    view.setUint32(4, size, true);
    view.setUint32(8, errno === 0 ? HeaderFlag.TYPE_REPLY : HeaderFlag.TYPE_REPLY | HeaderFlag.ERROR, true);
    view.setUint32(12, errno, true);
    if (this.server.faults !== undefined) size = this.server.faults.reply(frame, this.reply, size);
    if (size > 0) this.#send(size, this.replyDescriptors.fds);
  }

  #errnoOf(error: unknown, frame: Frame): number {
    const errno = error instanceof VfioUserError ? error.errno : Number((error as { errno?: number }).errno ?? 0);
    this.server.refused(frame.command, error);
    const positive = Math.abs(errno);
    return positive > 0 && positive <= 4096 ? positive : Errno.EINVAL;
  }
}
