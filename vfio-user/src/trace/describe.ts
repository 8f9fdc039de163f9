import { commandName, errnoName, HEADER_BYTES, HeaderFlag, readHeader, viewOf } from '../protocol/index.ts';
import { dataText, describePayload, type RegisterName } from './describe-payload.ts';
import { Origin, type TraceRecord } from './pcapng.ts';

export type { RegisterName } from './describe-payload.ts';

/** One traced message in words. */
export interface DescribedMessage {
  /** ISO text with microseconds. */
  time: string;
  from: 'client' | 'server';
  /** `random` is no message: bytes that the device took from the system, for a replay. */
  type: 'command' | 'reply' | 'error' | 'random';
  id: number;
  command: string;
  bytes: number;
  posted?: boolean;
  errno?: string;
  fds?: number;
  /** Timers of the device that ran since the record before, if any did. */
  timers?: number;
  /** What the payload says; keys differ by command. */
  payload?: Record<string, unknown>;
}

/** Longer values are cut in {@link formatMessage}, where a line is to be read. */
const TEXT_LENGTH = 200;

export function describeRecord(record: TraceRecord, registers: readonly RegisterName[] = []): DescribedMessage {
  const { message, origin } = record;
  const from = origin === Origin.CLIENT ? 'client' : 'server';
  const time = formatTime(record.time);
  const bytes = message.length;
  if (origin === Origin.RANDOM)
    return { time, from, type: 'random', id: 0, command: 'random', bytes, payload: { data: dataText(message) } };
  if (bytes < HEADER_BYTES) return { time, from, type: 'error', id: 0, command: 'not a message', bytes };
  const header = readHeader(viewOf(message), 0);
  const reply = (header.flags & HeaderFlag.TYPE_MASK) === HeaderFlag.TYPE_REPLY;
  const failed = (header.flags & HeaderFlag.ERROR) !== 0;
  const type = failed ? 'error' : reply ? 'reply' : 'command';
  const described: DescribedMessage = { time, from, type, id: header.id, command: commandName(header.command), bytes };
  if ((header.flags & HeaderFlag.NO_REPLY) !== 0) described.posted = true;
  if (failed) described.errno = errnoName(header.errno);
  if (record.fds > 0) described.fds = record.fds;
  if (record.timers) described.timers = record.timers;
  const payload = { bytes: message, view: viewOf(message), start: HEADER_BYTES, length: bytes - HEADER_BYTES };
  const details = describePayload(header.command, reply, payload, registers);
  if (details) described.payload = details;
  return described;
}

/** One line of text. */
export function formatMessage(message: DescribedMessage): string {
  const arrow = message.from === 'client' ? '>' : '<';
  const payload = Object.entries(message.payload ?? {})
    .map(([key, value]) => `${key}=${short(typeof value === 'object' ? JSON.stringify(value) : String(value))}`)
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
    message.timers ? `timers=${message.timers}` : '',
  ];
  return parts.filter((part) => part !== '').join(' ');
}

const short = (text: string) => (text.length > TEXT_LENGTH ? `${text.slice(0, TEXT_LENGTH)}…` : text);

function formatTime(ns: bigint): string {
  const seconds = new Date(Number(ns / 1_000_000n)).toISOString().slice(0, 19);
  return `${seconds}.${String((ns / 1000n) % 1_000_000n).padStart(6, '0')}Z`;
}
