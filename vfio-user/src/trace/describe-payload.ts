import {
  Command,
  decodeDeviceInfo,
  decodeDmaAccess,
  decodeDmaMap,
  decodeDmaUnmap,
  decodeFeature,
  decodeIoFds,
  decodeIoFdsRequest,
  decodeIrqInfo,
  decodeMigData,
  decodeRegionAccess,
  decodeRegionInfo,
  decodeRegionInfoRequest,
  decodeSetIrqs,
  decodeVersion,
  decodeWriteMulti,
  dmaData,
  Feature,
  type MultiWrite,
  type Payload,
  PciRegion,
  REGION_ACCESS_BYTES,
  u64Number,
} from '../protocol/index.ts';

/** A register's place, to show its name instead of its offset. */
export interface RegisterName {
  bar: number;
  offset: number;
  width: number;
  name: string;
}

type Fields = Record<string, unknown>;
/** What a payload says; `reply` tells the two directions of a command apart. */
type Describe = (payload: Payload, reply: boolean, registers: readonly RegisterName[]) => Fields;

const nameOf = (names: Record<string, number>, value: number): string | number =>
  Object.entries(names)
    .find(([, number]) => number === value)?.[0]
    .toLowerCase() ?? value;

const commands: Record<number, Describe> = {
  [Command.VERSION]: (payload) => ({ ...decodeVersion(payload) }),
  [Command.DMA_MAP]: (payload) => hexadecimal(decodeDmaMap(payload)),
  [Command.DMA_UNMAP]: (payload) => hexadecimal(decodeDmaUnmap(payload)),
  [Command.DEVICE_GET_INFO]: (payload, reply) =>
    reply ? { ...decodeDeviceInfo(payload) } : { argsz: payload.view.getUint32(payload.start, true) },
  [Command.DEVICE_GET_REGION_INFO]: (payload, reply) => {
    const { index, ...info } = reply ? decodeRegionInfo(payload) : decodeRegionInfoRequest(payload);
    return hexadecimal({ region: nameOf(PciRegion, index), ...info });
  },
  [Command.DEVICE_GET_REGION_IO_FDS]: (payload, reply) =>
    reply ? { ...decodeIoFds(payload) } : decodeIoFdsRequest(payload),
  [Command.DEVICE_GET_IRQ_INFO]: (payload) => ({ ...decodeIrqInfo(payload) }),
  [Command.DEVICE_SET_IRQS]: (payload) => ({ ...decodeSetIrqs(payload) }),
  [Command.REGION_READ]: access,
  [Command.REGION_WRITE]: access,
  [Command.REGION_WRITE_MULTI]: (payload, reply, registers) =>
    reply
      ? { done: u64Number(payload.view, payload.start) }
      : { writes: decodeWriteMulti(payload).map((write) => writeFields(write, registers)) },
  [Command.DMA_READ]: (payload, reply) => dma(payload, reply),
  [Command.DMA_WRITE]: (payload, reply) => dma(payload, !reply),
  [Command.DEVICE_FEATURE]: (payload) => {
    const { feature, data, ...flags } = decodeFeature(payload);
    return { feature: nameOf(Feature, feature), ...flags, ...dataField(data) };
  },
  [Command.MIG_DATA_READ]: (payload) => migrationData(payload, 'MIG_DATA_READ'),
  [Command.MIG_DATA_WRITE]: (payload, reply) => (reply ? rest(payload) : migrationData(payload, 'MIG_DATA_WRITE')),
};

/** The fields of a payload by name: all of it, for what no command is known to carry as its bytes. */
export function describePayload(
  command: number,
  reply: boolean,
  payload: Payload,
  registers: readonly RegisterName[],
): Fields | undefined {
  if (payload.length === 0) return undefined;
  try {
    const describe = Object.hasOwn(commands, command) ? commands[command] : undefined;
    return plain(describe?.(payload, reply, registers) ?? rest(payload));
  } catch (error) {
    return { malformed: (error as Error).message, ...rest(payload) };
  }
}

function access(payload: Payload, _reply: boolean, registers: readonly RegisterName[]): Fields {
  const { offset, region, count } = decodeRegionAccess(payload);
  const data = payload.bytes.subarray(payload.start + REGION_ACCESS_BYTES, payload.start + payload.length);
  return { ...place(region, offset, registers), count, ...dataField(data) };
}

function writeFields({ region, offset, data }: MultiWrite, registers: readonly RegisterName[]): Fields {
  return { ...place(region, offset, registers), ...dataField(data) };
}

function place(region: number, offset: number, registers: readonly RegisterName[]): Fields {
  const register = registers.find(
    (one) => one.bar === region && offset >= one.offset && offset < one.offset + one.width,
  );
  return {
    region: nameOf(PciRegion, region),
    offset: `0x${offset.toString(16)}`,
    ...(register ? { register: register.name } : {}),
  };
}

/** In the layout of the specification, which QEMU 11.1 has too. */
function dma(payload: Payload, withData: boolean): Fields {
  return {
    ...hexadecimal(decodeDmaAccess(payload, 'spec')),
    ...(withData ? dataField(dmaData(payload, 'spec')) : {}),
  };
}

function migrationData(payload: Payload, what: 'MIG_DATA_READ' | 'MIG_DATA_WRITE'): Fields {
  const { size, data } = decodeMigData(payload, what);
  return { size, ...dataField(data) };
}

const rest = ({ bytes, start, length }: Payload): Fields => dataField(bytes.subarray(start, start + length));

function dataField(data: Uint8Array): Fields {
  return data.length === 0 ? {} : { data: dataText(data) };
}

/** Up to 8 bytes as a number, more as hexadecimal digits in memory order. */
export function dataText(data: Uint8Array): string {
  if (data.length > 8) return Buffer.from(data).toString('hex');
  return `0x${Buffer.from(data).reverse().toString('hex')}`;
}

function hexadecimal(values: object): Fields {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, typeof value === 'bigint' ? `0x${value.toString(16)}` : value]),
  );
}

/** JSON has no bigint. */
function plain(fields: Fields): Fields {
  return JSON.parse(
    JSON.stringify(fields, (_, value) => (typeof value === 'bigint' ? `0x${value.toString(16)}` : value)),
  ) as Fields;
}
