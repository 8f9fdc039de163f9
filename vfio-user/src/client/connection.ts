import { closeAll } from '@kata-mock/posix';
import { VfioUserError } from '../errors.ts';
import {
  type Capabilities,
  Command,
  commandName,
  type DmaLayout,
  decodeVersion,
  Errno,
  encodeMessage,
  encodeVersion,
  errnoName,
  type Frame,
  Framer,
  HeaderFlag,
  payloadOf,
  type Version,
} from '../protocol/index.ts';
import type { Channel } from '../transport/channel.ts';
import { SocketChannel } from '../transport/socket-channel.ts';
import { type GuestMemory, serveDma } from './dma-service.ts';

export interface ClientOptions {
  /** What VERSION proposes; false sends none. */
  capabilities?: Capabilities | false;
  minor?: number;
  /** How long a reply may take, ms. Default 5000. */
  timeoutMs?: number;
  /** Answers the server's DMA_READ and DMA_WRITE. */
  memory?: GuestMemory;
  /** How those are laid out. Default `spec`. */
  dmaLayout?: DmaLayout;
}

/** A reply; the payload is a copy, the descriptors, of a command that asks for some, are the caller's. */
export interface Reply {
  payload: Uint8Array;
  fds: number[];
}

/** Commands whose replies may bring descriptors; those of any other reply are closed. */
const answeredWithDescriptors: ReadonlySet<number> = new Set([
  Command.VERSION,
  Command.DEVICE_GET_REGION_INFO,
  Command.DEVICE_GET_REGION_IO_FDS,
]);

/** A client's way with its server: negotiates, sends commands, finds their replies, serves the server's DMA meanwhile. */
export class ClientConnection {
  readonly channel: Channel;
  /** What the server answered to VERSION. */
  version: Version = { major: 0, minor: 0 };
  readonly #options: ClientOptions;
  readonly #framer = new Framer();
  #twin: Channel | undefined;
  #twinFramer: Framer | undefined;
  /** Replies that came while someone else was waited for. */
  readonly #early = new Map<number, { command: number; errno: number; reply: Reply }>();
  #nextId = 0;

  /** Without negotiation; see {@link negotiate}. */
  constructor(channel: Channel, options: ClientOptions = {}) {
    this.channel = channel;
    this.#options = options;
  }

  negotiate(): void {
    const { capabilities = { max_msg_fds: 8, max_data_xfer_size: 1 << 20 }, minor = 1 } = this.#options;
    const payload = encodeVersion({ major: 0, minor, capabilities: capabilities || undefined });
    const { payload: answer, fds } = this.request(Command.VERSION, payload);
    try {
      this.version = decodeVersion(payloadOf(answer));
      const twin = this.version.capabilities?.twin_socket;
      if (!twin?.supported) return;
      const [fd] = fds.splice(twin.fd_index ?? 0, 1);
      if (fd === undefined) throw new VfioUserError('PROTOCOL', 'VERSION: twin socket without a descriptor');
      this.#twin = new SocketChannel(fd);
    } finally {
      closeAll(fds);
    }
  }

  /** Sends one command and waits for its reply. Throws REPLY with the errno of an error reply. */
  request(command: number, payload: Uint8Array, fds: readonly number[] = []): Reply {
    const id = this.send(command, payload, { fds });
    return this.receive(id, command);
  }

  /** Sends one command and does not wait. Returns its id. */
  send(command: number, payload: Uint8Array, options: { fds?: readonly number[]; noReply?: boolean } = {}): number {
    const id = this.#nextId;
    this.#nextId = (id + 1) & 0xffff;
    const flags = HeaderFlag.TYPE_COMMAND | (options.noReply ? HeaderFlag.NO_REPLY : 0);
    const message = encodeMessage({ id, command, flags, errno: 0 }, payload);
    this.channel.send(message, message.length, options.fds ?? []);
    return id;
  }

  /** Waits for the reply to a command sent before, serving DMA meanwhile. */
  receive(id: number, command: number, timeoutMs = this.#options.timeoutMs ?? 5000): Reply {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const early = this.#early.get(id);
      if (early) {
        this.#early.delete(id);
        return this.#result(early.command, early.errno, early.reply);
      }
      for (let next = this.#framer.next(); next !== 'partial'; next = this.#framer.next()) {
        const reply = this.#take(this.#framer.frame, next === 'invalid', id, command);
        if (reply) return reply;
      }
      this.#wait(deadline, `reply to ${commandName(command)}`);
    }
  }

  /** Serves the server's DMA commands until `done`. */
  serveUntil(done: () => boolean, timeoutMs = 5000): void {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      for (let next = this.#framer.next(); next !== 'partial'; next = this.#framer.next())
        this.#take(this.#framer.frame, next === 'invalid', -1, 0);
      if (done()) return;
      this.#wait(deadline, 'what is waited for');
    }
  }

  close(): void {
    closeAll(this.#framer.drain());
    closeAll(this.#twinFramer?.drain() ?? []);
    for (const { reply } of this.#early.values()) closeAll(reply.fds);
    this.#early.clear();
    this.#twin?.close();
    this.channel.close();
  }

  #wait(deadline: number, what: string): void {
    const left = deadline - performance.now();
    if (left <= 0) throw new VfioUserError('TIMEOUT', `no ${what} in time`);
    if (this.#twin) {
      this.#pumpTwin(this.#twin);
      if (this.channel.fill(this.#framer, Math.min(left, 5)) === 'closed') throw gone(what);
    } else if (this.channel.fill(this.#framer, left) === 'closed') throw gone(what);
  }

  #pumpTwin(twin: Channel): void {
    this.#twinFramer ??= new Framer();
    if (twin.fill(this.#twinFramer, 0) === 'closed') throw gone('twin socket');
    while (this.#twinFramer.next() === 'frame') this.#serve(this.#twinFramer.frame, twin);
  }

  #take(frame: Frame, invalid: boolean, id: number, command: number): Reply | undefined {
    if (invalid) throw new VfioUserError('PROTOCOL', 'message with an impossible size');
    if ((frame.flags & HeaderFlag.TYPE_MASK) === HeaderFlag.TYPE_COMMAND) {
      this.#serve(frame, this.channel);
      return undefined;
    }
    const reply = { payload: frame.bytes.slice(frame.start, frame.start + frame.length), fds: frame.fds.splice(0) };
    const errno = (frame.flags & HeaderFlag.ERROR) === 0 ? 0 : frame.errno || Errno.EINVAL;
    if (id < 0) {
      closeAll(this.#early.get(frame.id)?.reply.fds ?? []);
      this.#early.set(frame.id, { command: frame.command, errno, reply });
      return undefined;
    }
    if (frame.id === id && frame.command === command) return this.#result(command, errno, reply);
    closeAll(reply.fds);
    const got = `reply ${frame.id} to ${commandName(frame.command)}`;
    throw new VfioUserError('PROTOCOL', `${got}, not ${id} to ${commandName(command)}`);
  }

  #result(command: number, errno: number, reply: Reply): Reply {
    if (errno !== 0 || !answeredWithDescriptors.has(command)) closeAll(reply.fds.splice(0));
    if (errno === 0) return reply;
    throw new VfioUserError('REPLY', `${commandName(command)}: the server answered ${errnoName(errno)}`, { errno });
  }

  #serve(frame: Frame, channel: Channel): void {
    closeAll(frame.fds.splice(0));
    const message = serveDma(frame, this.#options.memory, this.#options.dmaLayout ?? 'spec');
    if (message) channel.send(message, message.length, []);
  }
}

function gone(what: string): VfioUserError {
  return new VfioUserError('DISCONNECTED', `the server closed the connection before the ${what}`);
}
