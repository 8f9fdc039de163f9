import {
  Command,
  commandName,
  decodeDmaMap,
  decodeDmaUnmap,
  decodeIrqInfo,
  decodeRegionAccess,
  decodeRegionInfoRequest,
  decodeSetIrqs,
  decodeVersion,
  errnoName,
  HEADER_BYTES,
  HeaderFlag,
  type Payload,
  PciRegion,
  REGION_ACCESS_BYTES,
  readHeader,
  viewOf,
} from '../protocol/index.ts';
import type { TraceRecord } from './pcapng.ts';

/** A register's place, to show its name instead of its offset. */
export interface RegisterName {
  bar: number;
  offset: number;
  width: number;
  name: string;
}

/** One traced message in words. */
export interface DescribedMessage {
  /** ISO text with microseconds. */
  time: string;
  from: 'client' | 'server';
  type: 'command' | 'reply' | 'error';
  id: number;
  command: string;
  bytes: number;
  posted?: boolean;
  errno?: string;
  fds?: number;
  /** What the payload says; keys differ by command. */
  payload?: Record<string, unknown>;
}

const regionNames: Record<number, string> = Object.fromEntries(
  Object.entries(PciRegion).map(([name, index]) => [index, name.toLowerCase()]),
);

export function describeRecord(record: TraceRecord, registers: readonly RegisterName[] = []): DescribedMessage {
  const { message } = record;
  const from = record.fromServer ? 'server' : 'client';
  const time = formatTime(record.time);
  if (message.length < HEADER_BYTES)
    return { time, from, type: 'error', id: 0, command: 'not a message', bytes: message.length };
  const header = readHeader(viewOf(message), 0);
  const reply = (header.flags & HeaderFlag.TYPE_MASK) === HeaderFlag.TYPE_REPLY;
  const failed = (header.flags & HeaderFlag.ERROR) !== 0;
  const described: DescribedMessage = {
    time,
    from,
    type: failed ? 'error' : reply ? 'reply' : 'command',
    id: header.id,
    command: commandName(header.command),
    bytes: message.length,
  };
  if ((header.flags & HeaderFlag.NO_REPLY) !== 0) described.posted = true;
  if (failed) described.errno = errnoName(header.errno);
  if (record.fds > 0) described.fds = record.fds;
  const payload = { bytes: message, view: viewOf(message), start: HEADER_BYTES, length: message.length - HEADER_BYTES };
  const details = payloadOf(header.command, reply, payload, registers);
  if (details) described.payload = details;
  return described;
}

/** One line of text. */
export function formatMessage(message: DescribedMessage): string {
  const arrow = message.from === 'client' ? '>' : '<';
  const payload = Object.entries(message.payload ?? {})
    .map(([key, value]) => `${key}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
    .join(' ');
  const parts = [
    message.time,
    arrow,
    String(message.id).padStart(5),
    message.type.padEnd(7),
    message.command,
    payload,
    message.posted ? 'posted' : '',
    message.errno ?? '',
    message.fds ? `fds=${message.fds}` : '',
  ];
  return parts.filter((part) => part !== '').join(' ');
}

function payloadOf(
  command: number,
  reply: boolean,
  payload: Payload,
  registers: readonly RegisterName[],
): Record<string, unknown> | undefined {
  if (payload.length === 0) return undefined;
  try {
    if (command === Command.REGION_READ || command === Command.REGION_WRITE) return access(payload, registers);
    if (command === Command.VERSION) return { ...decodeVersion(payload) };
    if (reply) return undefined;
    if (command === Command.DMA_MAP) return hexFields(decodeDmaMap(payload));
    if (command === Command.DMA_UNMAP) return hexFields(decodeDmaUnmap(payload));
    if (command === Command.DEVICE_GET_REGION_INFO) return decodeRegionInfoRequest(payload);
    if (command === Command.DEVICE_GET_IRQ_INFO) return { index: decodeIrqInfo(payload).index };
    if (command === Command.DEVICE_SET_IRQS) return { ...decodeSetIrqs(payload) };
    return undefined;
  } catch (error) {
    return { malformed: (error as Error).message };
  }
}

function access(payload: Payload, registers: readonly RegisterName[]): Record<string, unknown> {
  const { offset, region, count } = decodeRegionAccess(payload);
  const data = payload.bytes.subarray(payload.start + REGION_ACCESS_BYTES, payload.start + payload.length);
  const register = registers.find(
    (one) => one.bar === region && offset >= one.offset && offset < one.offset + one.width,
  );
  return {
    region: regionNames[region] ?? region,
    offset: `0x${offset.toString(16)}`,
    ...(register ? { register: register.name } : {}),
    count,
    ...(data.length === 0 ? {} : { data: dataText(data) }),
  };
}

/** Up to 8 bytes as a number, more as hexadecimal digits in memory order. */
function dataText(data: Uint8Array): string {
  if (data.length > 8) return Buffer.from(data.subarray(0, 64)).toString('hex') + (data.length > 64 ? '…' : '');
  return `0x${Buffer.from(data).reverse().toString('hex')}`;
}

function hexFields(values: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, typeof value === 'bigint' ? `0x${value.toString(16)}` : value]),
  );
}

function formatTime(ns: bigint): string {
  const seconds = new Date(Number(ns / 1_000_000n)).toISOString().slice(0, 19);
  return `${seconds}.${String((ns / 1000n) % 1_000_000n).padStart(6, '0')}Z`;
}
