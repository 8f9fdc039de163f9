import { IoFdType, MAX_DATA_XFER_BYTES } from './constants.ts';
import { protocolError } from './errno.ts';
import { newPayload, type Payload, requireArgsz, requireBytes } from './fields.ts';

/** A range of a region that is signalled through an eventfd instead of a message. */
export interface IoFd {
  /** Bytes from the region's start. */
  offset: bigint;
  /** Bytes of the access; 0 for any. */
  size: bigint;
  /** {@link IoFdType}. */
  type: number;
  /** KVM_IOEVENTFD_FLAG_*. */
  flags: number;
  /** Index in the reply's descriptors. */
  fdIndex: number;
  /** Only for a shadow: index of the memory that receives the written value, and where in it. */
  shadowFdIndex: number;
  shadowOffset: bigint;
  datamatch: bigint;
}

export const IO_FDS_BYTES = 16;
const ENTRY_BYTES = 48;
/** Index that stands for "no descriptor". */
export const NO_FD = 0xffffffff;

export function encodeIoFdsRequest(index: number, argsz: number): Uint8Array {
  const { bytes, view } = newPayload(IO_FDS_BYTES);
  view.setUint32(0, argsz, true);
  view.setUint32(8, index, true);
  return bytes;
}

export function decodeIoFdsRequest(payload: Payload): { argsz: number; index: number } {
  requireBytes(payload, IO_FDS_BYTES, 'DEVICE_GET_REGION_IO_FDS');
  const { view, start } = payload;
  const argsz = view.getUint32(start, true);
  requireArgsz(argsz, IO_FDS_BYTES, 'DEVICE_GET_REGION_IO_FDS');
  if (argsz > MAX_DATA_XFER_BYTES) throw protocolError(`DEVICE_GET_REGION_IO_FDS: argsz ${argsz} is above 1 MiB`);
  if (view.getUint32(start + 4, true) !== 0 || view.getUint32(start + 12, true) !== 0)
    throw protocolError('DEVICE_GET_REGION_IO_FDS: flags and count must be 0');
  return { argsz, index: view.getUint32(start + 8, true) };
}

/** Bytes a client needs room for to get `count` entries. */
export function ioFdsReplyBytes(count: number): number {
  return IO_FDS_BYTES + count * ENTRY_BYTES;
}

/** The reply; without entries when the client has too little room. */
export function encodeIoFds(index: number, entries: readonly IoFd[], argsz: number): Uint8Array {
  const needed = ioFdsReplyBytes(entries.length);
  const fits = argsz >= needed;
  const { bytes, view } = newPayload(fits ? needed : IO_FDS_BYTES);
  view.setUint32(0, needed, true);
  view.setUint32(8, index, true);
  view.setUint32(12, entries.length, true);
  if (!fits) return bytes;
  entries.forEach((entry, position) => {
    const at = IO_FDS_BYTES + position * ENTRY_BYTES;
    view.setBigUint64(at, entry.offset, true);
    view.setBigUint64(at + 8, entry.size, true);
    view.setUint32(at + 16, entry.fdIndex, true);
    view.setUint32(at + 20, entry.type, true);
    view.setUint32(at + 24, entry.flags, true);
    view.setUint32(at + 28, entry.type === IoFdType.SHADOW ? entry.shadowFdIndex : 0, true);
    view.setBigUint64(at + 32, entry.shadowOffset, true);
    view.setBigUint64(at + 40, entry.datamatch, true);
  });
  return bytes;
}

/** `count` counts the entries there are; `entries` is empty when the request left no room for them. */
export function decodeIoFds(payload: Payload): { argsz: number; index: number; count: number; entries: IoFd[] } {
  requireBytes(payload, IO_FDS_BYTES, 'io fds reply');
  const { view, start } = payload;
  const argsz = view.getUint32(start, true);
  const count = view.getUint32(start + 12, true);
  const index = view.getUint32(start + 8, true);
  if (payload.length === IO_FDS_BYTES || count === 0) return { argsz, index, count, entries: [] };
  // The written specification has 40-byte entries, the common implementation 48: the reply's size tells which.
  const stride = Math.floor((payload.length - IO_FDS_BYTES) / count);
  if (stride < 40) throw protocolError(`io fds reply: ${count} entries in ${payload.length} bytes`);
  const entries = Array.from({ length: count }, (_, position): IoFd => {
    const at = start + IO_FDS_BYTES + position * stride;
    const wide = stride >= ENTRY_BYTES;
    return {
      offset: view.getBigUint64(at, true),
      size: view.getBigUint64(at + 8, true),
      fdIndex: view.getUint32(at + 16, true),
      type: view.getUint32(at + 20, true),
      flags: view.getUint32(at + 24, true),
      shadowFdIndex: view.getUint32(at + 28, true),
      shadowOffset: wide ? view.getBigUint64(at + 32, true) : 0n,
      datamatch: view.getBigUint64(at + (wide ? 40 : 32), true),
    };
  });
  return { argsz, index, count, entries };
}
