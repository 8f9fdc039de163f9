import { closeAll, unixConnect } from '@kata-mock/posix';
import { VfioUserError } from '../errors.ts';
import {
  type Capabilities,
  Command,
  commandName,
  type DeviceInfo,
  type DmaLayout,
  type DmaMap,
  DmaUnmapFlag,
  decodeDeviceInfo,
  decodeFeature,
  decodeIoFds,
  decodeIrqInfo,
  decodeMigData,
  decodeRegionInfo,
  decodeVersion,
  Errno,
  encodeDeviceInfo,
  encodeDmaMap,
  encodeDmaUnmap,
  encodeFeature,
  encodeIoFdsRequest,
  encodeIrqInfo,
  encodeMessage,
  encodeMigData,
  encodeRegionAccess,
  encodeRegionInfoRequest,
  encodeSetIrqs,
  encodeVersion,
  encodeWriteMulti,
  errnoName,
  Feature,
  FeatureFlag,
  type Frame,
  Framer,
  HeaderFlag,
  IO_FDS_BYTES,
  type IoFd,
  type IrqInfo,
  type MultiWrite,
  newPayload,
  payloadOf,
  REGION_ACCESS_BYTES,
  type RegionInfo,
  type SetIrqs,
  type Version,
  viewOf,
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

/** A reply; the payload is a copy, the descriptors are the caller's. */
export interface Reply {
  payload: Uint8Array;
  fds: number[];
}

/** A region's description with the descriptor to map it by; -1 when there is none. */
export interface RegionDescription extends RegionInfo {
  fd: number;
}

/** A vfio-user client that blocks its thread: for tests, tools and benchmarks. */
export class Client {
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

  /** Connects to a socket and negotiates. */
  static connect(path: string, options: ClientOptions = {}): Client {
    return Client.open(new SocketChannel(unixConnect(path)), options);
  }

  /** Negotiates over a channel that is connected already. */
  static open(channel: Channel, options: ClientOptions = {}): Client {
    const client = new Client(channel, options);
    client.negotiate();
    return client;
  }

  /** Without negotiation; see {@link negotiate}. */
  constructor(channel: Channel, options: ClientOptions = {}) {
    this.channel = channel;
    this.#options = options;
  }

  negotiate(): void {
    const { capabilities = { max_msg_fds: 8, max_data_xfer_size: 1 << 20 }, minor = 1 } = this.#options;
    const payload = encodeVersion({ major: 0, minor, capabilities: capabilities || undefined });
    const reply = this.request(Command.VERSION, payload);
    this.version = decodeVersion(payloadOf(reply.payload));
    const twin = this.version.capabilities?.twin_socket;
    if (twin?.supported) {
      const fd = reply.fds[twin.fd_index ?? 0];
      if (fd === undefined) throw new VfioUserError('PROTOCOL', 'VERSION: twin socket without a descriptor');
      this.#twin = new SocketChannel(fd);
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

  deviceInfo(): DeviceInfo {
    const request = encodeDeviceInfo({ flags: 0, regions: 0, irqs: 0 });
    return decodeDeviceInfo(payloadOf(this.request(Command.DEVICE_GET_INFO, request).payload));
  }

  /** Asks again with the room the server names, so that areas and descriptor are there. */
  regionInfo(index: number): RegionDescription {
    let reply = this.request(Command.DEVICE_GET_REGION_INFO, encodeRegionInfoRequest(index));
    const { argsz } = decodeRegionInfo(payloadOf(reply.payload));
    if (argsz > reply.payload.length) {
      closeAll(reply.fds);
      reply = this.request(Command.DEVICE_GET_REGION_INFO, encodeRegionInfoRequest(index, argsz));
    }
    closeAll(reply.fds.slice(1));
    return { ...decodeRegionInfo(payloadOf(reply.payload)), fd: reply.fds[0] ?? -1 };
  }

  regionIoFds(index: number, argsz = 65_536): { count: number; argsz: number; entries: IoFd[]; fds: number[] } {
    const room = Math.max(argsz, IO_FDS_BYTES);
    const reply = this.request(Command.DEVICE_GET_REGION_IO_FDS, encodeIoFdsRequest(index, room));
    return { ...decodeIoFds(payloadOf(reply.payload)), fds: reply.fds };
  }

  irqInfo(index: number): IrqInfo {
    const request = encodeIrqInfo({ flags: 0, index, count: 0 });
    return decodeIrqInfo(payloadOf(this.request(Command.DEVICE_GET_IRQ_INFO, request).payload));
  }

  setIrqs(set: SetIrqs, fds: readonly number[] = []): void {
    this.request(Command.DEVICE_SET_IRQS, encodeSetIrqs(set), fds);
  }

  /** The server gets a copy of `fd`. */
  dmaMap(map: DmaMap, fd?: number): void {
    this.request(Command.DMA_MAP, encodeDmaMap(map), fd === undefined ? [] : [fd]);
  }

  dmaUnmap(address: bigint, size: bigint): void {
    this.request(Command.DMA_UNMAP, encodeDmaUnmap({ flags: 0, address, size }));
  }

  dmaUnmapAll(): void {
    this.request(Command.DMA_UNMAP, encodeDmaUnmap({ flags: DmaUnmapFlag.ALL, address: 0n, size: 0n }));
  }

  regionRead(region: number, offset: number, count: number): Uint8Array {
    const { payload } = this.request(Command.REGION_READ, encodeRegionAccess({ offset, region, count }));
    return payload.subarray(REGION_ACCESS_BYTES);
  }

  regionWrite(region: number, offset: number, data: Uint8Array, options: { posted?: boolean } = {}): void {
    const payload = encodeRegionAccess({ offset, region, count: data.length }, data);
    if (options.posted) this.send(Command.REGION_WRITE, payload, { noReply: true });
    else this.request(Command.REGION_WRITE, payload);
  }

  /** Number of writes the server carried out. */
  writeMulti(writes: readonly MultiWrite[]): number {
    const { payload } = this.request(Command.REGION_WRITE_MULTI, encodeWriteMulti(writes));
    return Number(viewOf(payload).getBigUint64(0, true));
  }

  read32(region: number, offset: number): number {
    return viewOf(this.regionRead(region, offset, 4)).getUint32(0, true);
  }

  write32(region: number, offset: number, value: number): void {
    const { bytes, view } = newPayload(4);
    view.setUint32(0, value >>> 0, true);
    this.regionWrite(region, offset, bytes);
  }

  write64(region: number, offset: number, value: bigint): void {
    const { bytes, view } = newPayload(8);
    view.setBigUint64(0, value, true);
    this.regionWrite(region, offset, bytes);
  }

  reset(): void {
    this.request(Command.DEVICE_RESET, new Uint8Array(0));
  }

  featureGet(feature: number, data: Uint8Array = new Uint8Array(0), room = 4096): Uint8Array {
    const reply = this.request(Command.DEVICE_FEATURE, encodeFeature(feature, FeatureFlag.GET, data, room));
    return decodeFeature(payloadOf(reply.payload)).data;
  }

  featureSet(feature: number, data: Uint8Array): void {
    this.request(Command.DEVICE_FEATURE, encodeFeature(feature, FeatureFlag.SET, data));
  }

  featureProbe(feature: number, flags: number): void {
    this.request(Command.DEVICE_FEATURE, encodeFeature(feature, FeatureFlag.PROBE | flags));
  }

  get migrationState(): number {
    return viewOf(this.featureGet(Feature.MIG_DEVICE_STATE)).getUint32(0, true);
  }

  set migrationState(state: number) {
    const { bytes, view } = newPayload(8);
    view.setUint32(0, state, true);
    this.featureSet(Feature.MIG_DEVICE_STATE, bytes);
  }

  migDataRead(size: number): Uint8Array {
    const request = encodeMigData(size);
    return decodeMigData(payloadOf(this.request(Command.MIG_DATA_READ, request).payload), 'MIG_DATA_READ').data;
  }

  migDataWrite(data: Uint8Array): void {
    this.request(Command.MIG_DATA_WRITE, encodeMigData(data.length, data));
  }

  close(): void {
    closeAll(this.#framer.drain());
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
      this.#early.set(frame.id, { command: frame.command, errno, reply });
      return undefined;
    }
    if (frame.id === id && frame.command === command) return this.#result(command, errno, reply);
    closeAll(reply.fds);
    const got = `reply ${frame.id} to ${commandName(frame.command)}`;
    throw new VfioUserError('PROTOCOL', `${got}, not ${id} to ${commandName(command)}`);
  }

  #result(command: number, errno: number, reply: Reply): Reply {
    if (errno === 0) return reply;
    closeAll(reply.fds);
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
