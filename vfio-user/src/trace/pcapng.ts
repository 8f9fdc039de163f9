/**
 * Traces as pcapng files (an open format; blocks of type, length, body, length). Link type USER0, one packet a message:
 * origin ({@link Origin}), number of descriptors, 1 where the number of timers is known, 0, the number of the device's
 * timers that ran since the last packet (32 bits, little endian), then the message itself.
 */
import { VfioUserError } from '../errors.ts';

const SECTION = 0x0a0d0d0a;
const INTERFACE = 1;
const PACKET = 6;
const LINKTYPE_USER0 = 147;
const OPTION_NAME = 2;
const OPTION_RESOLUTION = 9;
const MAGIC = 0x1a2b3c4d;
const NANOSECONDS = 9;
export const RECORD_HEAD_BYTES = 8;
/** What a record is: a message of either side, or random bytes that the device took. */
export const Origin = { CLIENT: 0, SERVER: 1, RANDOM: 2 } as const;
export type Origin = (typeof Origin)[keyof typeof Origin];
/** Block bytes beside the packet: head 8, interface 4, time 8, lengths 8, tail 4. */
const PACKET_OVERHEAD_BYTES = 32;

export interface TraceRecord {
  /** ns since the epoch. */
  time: bigint;
  origin: Origin;
  fds: number;
  /** Timers of the device that ran since the record before; undefined when the recorder could not know. */
  timers: number | undefined;
  /** The message, or the random bytes. */
  message: Uint8Array;
}

const padded = (bytes: number) => (bytes + 3) & ~3;

/** The blocks that open a file: a section and one interface, named after the device. */
export function pcapngHead(device: string): Uint8Array {
  const name = Buffer.from(device).subarray(0, 200);
  const section = Buffer.alloc(28);
  section.writeUInt32LE(SECTION, 0);
  section.writeUInt32LE(28, 4);
  section.writeUInt32LE(MAGIC, 8);
  section.writeUInt16LE(1, 12);
  section.writeBigInt64LE(-1n, 16);
  section.writeUInt32LE(28, 24);
  const size = 16 + 4 + padded(name.length) + 8 + 4 + 4;
  const block = Buffer.alloc(size);
  block.writeUInt32LE(INTERFACE, 0);
  block.writeUInt32LE(size, 4);
  block.writeUInt16LE(LINKTYPE_USER0, 8);
  block.writeUInt16LE(OPTION_NAME, 16);
  block.writeUInt16LE(name.length, 18);
  name.copy(block, 20);
  const at = 20 + padded(name.length);
  block.writeUInt16LE(OPTION_RESOLUTION, at);
  block.writeUInt16LE(1, at + 2);
  block.writeUInt8(NANOSECONDS, at + 4);
  block.writeUInt32LE(size, size - 4);
  return Buffer.concat([section, block]);
}

/** Up to this length a message is copied in words. */
const SHORT_BYTES = 64;

/** Bytes {@link writePacket} needs for a message. */
export function packetBytes(messageBytes: number): number {
  return PACKET_OVERHEAD_BYTES + padded(RECORD_HEAD_BYTES + messageBytes);
}

/** What a packet says beside the message. */
export interface PacketHead {
  /** The two halves of the time in ns: a bigint for each message would be garbage to collect. */
  high: number;
  low: number;
  origin: Origin;
  fds: number;
  timers: number | undefined;
}

/** Writes one packet block at `at`. Returns its bytes. */
export function writePacket(
  view: DataView,
  bytes: Uint8Array,
  at: number,
  record: PacketHead,
  source: DataView,
  start: number,
  length: number,
): number {
  const size = packetBytes(length);
  const captured = RECORD_HEAD_BYTES + length;
  view.setUint32(at, PACKET, true);
  view.setUint32(at + 4, size, true);
  view.setUint32(at + 8, 0, true);
  view.setUint32(at + 12, record.high, true);
  view.setUint32(at + 16, record.low, true);
  view.setUint32(at + 20, captured, true);
  view.setUint32(at + 24, captured, true);
  const known = record.timers === undefined ? 0 : 1 << 16;
  view.setUint32(at + 28, record.origin | (Math.min(record.fds, 255) << 8) | known, true);
  view.setUint32(at + 32, record.timers ?? 0, true);
  const data = at + 36;
  // Words for what most messages are: a window on the source, for set(), would be garbage for each.
  let copied = 0;
  if (length <= SHORT_BYTES)
    for (; copied + 4 <= length; copied += 4)
      view.setUint32(data + copied, source.getUint32(start + copied, true), true);
  if (copied < length)
    bytes.set(new Uint8Array(source.buffer, source.byteOffset + start + copied, length - copied), data + copied);
  for (let index = data + length; index < at + size - 4; index++) bytes[index] = 0;
  view.setUint32(at + size - 4, size, true);
  return size;
}

/** The messages of a file that {@link pcapngHead} and {@link writePacket} made. Throws INVALID_OPTION on any other. */
export function readPcapng(file: Uint8Array): { device: string; records: TraceRecord[] } {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const records: TraceRecord[] = [];
  let device = '';
  for (let at = 0; at < file.length; ) {
    if (at + 12 > file.length) throw invalid(at, 'ends in the middle of a block');
    const type = view.getUint32(at, true);
    const size = view.getUint32(at + 4, true);
    if (at === 0 && type !== SECTION) throw invalid(at, 'is no pcapng file');
    if (size < 12 || size % 4 !== 0 || at + size > file.length) throw invalid(at, `has a block of ${size} bytes`);
    if (type === INTERFACE && size >= 28) {
      const length = view.getUint16(at + 18, true);
      device = Buffer.from(file.subarray(at + 20, Math.min(at + 20 + length, at + size))).toString();
    }
    if (type === PACKET) records.push(readPacket(file, view, at, size));
    at += size;
  }
  return { device, records };
}

function readPacket(file: Uint8Array, view: DataView, at: number, size: number): TraceRecord {
  const captured = size >= PACKET_OVERHEAD_BYTES + RECORD_HEAD_BYTES ? view.getUint32(at + 20, true) : 0;
  if (captured < RECORD_HEAD_BYTES || PACKET_OVERHEAD_BYTES + captured > size) throw invalid(at, 'has a short packet');
  const origin = view.getUint8(at + 28);
  if (!isOrigin(origin)) throw invalid(at, `has a record of kind ${origin}`);
  return {
    time: (BigInt(view.getUint32(at + 12, true)) << 32n) | BigInt(view.getUint32(at + 16, true)),
    origin,
    fds: view.getUint8(at + 29),
    timers: view.getUint8(at + 30) === 1 ? view.getUint32(at + 32, true) : undefined,
    message: file.subarray(at + 36, at + 28 + captured),
  };
}

const isOrigin = (value: number): value is Origin => Object.values<number>(Origin).includes(value);

function invalid(at: number, reason: string): VfioUserError {
  return new VfioUserError('INVALID_OPTION', `trace: the file ${reason} (byte ${at})`);
}
