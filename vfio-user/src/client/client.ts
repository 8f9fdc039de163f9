import { closeAll, unixConnect } from '@kata-mock/posix';
import {
  Command,
  type DeviceInfo,
  type DmaMap,
  DmaUnmapFlag,
  decodeDeviceInfo,
  decodeFeature,
  decodeIoFds,
  decodeIrqInfo,
  decodeMigData,
  decodeRegionInfo,
  encodeDeviceInfo,
  encodeDmaMap,
  encodeDmaUnmap,
  encodeFeature,
  encodeIoFdsRequest,
  encodeIrqInfo,
  encodeMigData,
  encodeRegionAccess,
  encodeRegionInfoRequest,
  encodeSetIrqs,
  encodeWriteMulti,
  Feature,
  FeatureFlag,
  IO_FDS_BYTES,
  type IoFd,
  type IrqInfo,
  type MultiWrite,
  newPayload,
  type Payload,
  payloadOf,
  REGION_ACCESS_BYTES,
  type RegionInfo,
  type SetIrqs,
  viewOf,
} from '../protocol/index.ts';
import type { Channel } from '../transport/channel.ts';
import { SocketChannel } from '../transport/socket-channel.ts';
import { ClientConnection, type ClientOptions, type Reply } from './connection.ts';

/** A region's description with the descriptor to map it by; -1 when there is none. */
export interface RegionDescription extends RegionInfo {
  fd: number;
}

/** A vfio-user client that blocks its thread, with a method for each command: for tests, tools and benchmarks. */
export class Client extends ClientConnection {
  /** Connects to a socket and negotiates. */
  static connect(path: string, options: ClientOptions = {}): Client {
    return Client.open(new SocketChannel(unixConnect(path)), options);
  }

  /** Negotiates over a channel that is connected already. When that fails, it is closed. */
  static open(channel: Channel, options: ClientOptions = {}): Client {
    const client = new Client(channel, options);
    try {
      client.negotiate();
    } catch (error) {
      client.close();
      throw error;
    }
    return client;
  }

  deviceInfo(): DeviceInfo {
    const request = encodeDeviceInfo({ flags: 0, regions: 0, irqs: 0 });
    return decodeDeviceInfo(payloadOf(this.request(Command.DEVICE_GET_INFO, request).payload));
  }

  /** Asks again with the room the server names, so that areas and descriptor are there. */
  regionInfo(index: number): RegionDescription {
    let reply = this.request(Command.DEVICE_GET_REGION_INFO, encodeRegionInfoRequest(index));
    const { argsz } = decoded(reply, decodeRegionInfo);
    if (argsz > reply.payload.length) {
      closeAll(reply.fds);
      reply = this.request(Command.DEVICE_GET_REGION_INFO, encodeRegionInfoRequest(index, argsz));
    }
    return decoded(reply, (payload) => {
      const info = decodeRegionInfo(payload);
      closeAll(reply.fds.splice(1));
      return { ...info, fd: reply.fds[0] ?? -1 };
    });
  }

  regionIoFds(index: number, argsz = 65_536): { count: number; argsz: number; entries: IoFd[]; fds: number[] } {
    const room = Math.max(argsz, IO_FDS_BYTES);
    const reply = this.request(Command.DEVICE_GET_REGION_IO_FDS, encodeIoFdsRequest(index, room));
    return { ...decoded(reply, decodeIoFds), fds: reply.fds };
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
}

/** What `decode` makes of a reply, whose descriptors are closed when it throws. */
function decoded<T>(reply: Reply, decode: (payload: Payload) => T): T {
  try {
    return decode(payloadOf(reply.payload));
  } catch (error) {
    closeAll(reply.fds);
    throw error;
  }
}
