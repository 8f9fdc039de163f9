import { closeSync } from 'node:fs';
import { closeAll, POLLIN, poll } from '@kata-mock/posix';
import { FaultEngine } from '../faults/engine.ts';
import type { Fault } from '../faults/rule.ts';
import {
  Command,
  type Frame,
  Framer,
  HEADER_BYTES,
  HeaderFlag,
  MAX_MESSAGE_BYTES,
  writeHeader,
  writtenReply,
} from '../protocol/index.ts';
import type { SessionObserver } from '../server/session.ts';
import { Timers } from '../server/timers.ts';
import { SocketChannel } from '../transport/socket-channel.ts';
import { ProxyInterrupts } from './interrupts.ts';
import { narrowVersion } from './narrow-version.ts';

/** How long one wait lasts at most, ms: the event loop turns in between, for signals and the control socket. */
const TURN_MS = 10;

export interface MessageProxyOptions {
  /** Faults that outlive this pair of connections. Default: own ones, none set. */
  faults?: FaultEngine;
  /** The timers of those faults. */
  timers?: Timers;
  observer?: SessionObserver | undefined;
}

/** Stands between one client and one server: passes every message on, shows it to a trace, breaks it by faults. */
export class MessageProxy {
  readonly timers: Timers;
  readonly faults: FaultEngine;
  observer: SessionObserver | undefined;
  readonly #client: SocketChannel;
  readonly #server: SocketChannel;
  readonly #fromClient = new Framer();
  readonly #fromServer = new Framer();
  readonly #message = new Uint8Array(new ArrayBuffer(MAX_MESSAGE_BYTES));
  /** Faults that wait for the reply of a command, by its id. */
  readonly #commands = new Map<number, readonly Fault[]>();
  readonly #interrupts = new ProxyInterrupts((index, vector, fire) => this.faults.deliver(index, vector, fire));
  /** What is polled: client, server, eventfds. */
  #entries: { fd: number; events: number }[] = [];
  #open = true;

  /** Owns both descriptors. */
  constructor(clientFd: number, serverFd: number, options: MessageProxyOptions = {}) {
    this.timers = options.timers ?? new Timers();
    this.faults = options.faults ?? new FaultEngine((ms, work) => void this.timers.after(ms, work));
    this.observer = options.observer;
    this.#client = new SocketChannel(clientFd);
    this.#server = new SocketChannel(serverFd);
  }

  /** Passes messages until one side closes or {@link stop}. */
  async run(): Promise<void> {
    this.#watch();
    let turned = performance.now();
    try {
      while (this.#open) {
        const next = this.timers.run(performance.now(), (work) => work());
        const entries = this.#entries;
        const [client, server, ...irqs] = poll(entries, Math.min(TURN_MS, Math.ceil(next)));
        // Before the server's messages: an interrupt does not come after the reply that was sent later.
        irqs.forEach((ready, at) => {
          if (ready) this.#interrupts.forward(entries[at + 2]!.fd);
        });
        if (client) this.#pump(this.#client, this.#fromClient, (frame) => this.#toServer(frame));
        if (server && this.#open) this.#pump(this.#server, this.#fromServer, (frame) => this.#toClient(frame));
        // A busy client must not keep the control socket waiting.
        if ((client || server) && performance.now() - turned < TURN_MS) continue;
        await new Promise((resolve) => setImmediate(resolve));
        turned = performance.now();
      }
    } finally {
      closeAll([...this.#fromClient.drain(), ...this.#fromServer.drain()]);
      this.#interrupts.close();
      this.#client.close();
      this.#server.close();
    }
  }

  #watch(): void {
    const fds = [this.#client.fd, this.#server.fd, ...this.#interrupts.fds];
    this.#entries = fds.map((fd) => ({ fd, events: POLLIN }));
  }

  stop(): void {
    this.#open = false;
  }

  #pump(channel: SocketChannel, framer: Framer, pass: (frame: Frame) => void): void {
    if (channel.fill(framer, 0) === 'closed') this.#open = false;
    while (this.#open) {
      const next = framer.next();
      if (next === 'partial') return;
      if (next === 'invalid') {
        this.#open = false;
        return;
      }
      const { frame } = framer;
      try {
        pass(frame);
      } catch {
        // Sending failed: that side is gone.
        this.#open = false;
      } finally {
        for (const fd of frame.fds.splice(0)) closeSync(fd);
      }
    }
  }

  #toServer(frame: Frame): void {
    this.observer?.received(frame);
    const command = (frame.flags & HeaderFlag.TYPE_MASK) === HeaderFlag.TYPE_COMMAND;
    const answered = command && (frame.flags & HeaderFlag.NO_REPLY) === 0;
    if (command && !this.faults.isEmpty && !this.#admit(frame)) return;
    if (answered && !this.faults.isEmpty) this.#commands.set(frame.id, this.faults.struck);
    if (command && this.#interrupts.command(frame)) this.#watch();
    this.#server.send(this.#message, this.#copy(frame), frame.fds);
  }

  #toClient(frame: Frame): void {
    const length = this.#copy(frame);
    // The server's own commands have ids of their own.
    const reply = (frame.flags & HeaderFlag.TYPE_MASK) === HeaderFlag.TYPE_REPLY;
    const struck = reply ? this.#commands.get(frame.id) : undefined;
    if (reply) this.#commands.delete(frame.id);
    if (reply && this.#interrupts.reply(frame)) this.#watch();
    const size = struck ? this.faults.reply(frame, this.#message, length, struck) : length;
    if (size === 0) return;
    this.observer?.sent(this.#message, size, frame.fds.length);
    this.#client.send(this.#message, size, frame.fds);
  }

  /** Applies faults to a command. False when it does not go to the server. */
  #admit(frame: Frame): boolean {
    const answered = (frame.flags & HeaderFlag.NO_REPLY) === 0;
    try {
      const verdict = this.faults.command(frame);
      if (verdict === 'serve') return true;
      if (verdict === 'crash') this.#open = false;
      else if (answered) this.#answer(frame, 0, writtenReply(frame));
    } catch (error) {
      if (answered) this.#answer(frame, (error as { errno?: number }).errno ?? 22, new Uint8Array(0));
    }
    return false;
  }

  #answer(frame: Frame, errno: number, payload: Uint8Array): void {
    const size = HEADER_BYTES + payload.length;
    const flags = HeaderFlag.TYPE_REPLY | (errno === 0 ? 0 : HeaderFlag.ERROR);
    const view = new DataView(this.#message.buffer);
    writeHeader(view, 0, { id: frame.id, command: frame.command, size, flags, errno });
    this.#message.set(payload, HEADER_BYTES);
    this.observer?.sent(this.#message, size, 0);
    this.#client.send(this.#message, size, []);
  }

  #copy(frame: Frame): number {
    const start = frame.start - HEADER_BYTES;
    const length = frame.length + HEADER_BYTES;
    this.#message.set(frame.bytes.subarray(start, start + length));
    if (frame.command === Command.VERSION) narrowVersion(this.#message.subarray(HEADER_BYTES, length));
    return length;
  }
}
