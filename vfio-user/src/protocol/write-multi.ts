import { Command, MAX_MULTI_WRITES } from './constants.ts';
import { protocolError } from './errno.ts';
import { newPayload, type Payload, requireBytes, u64Number } from './fields.ts';
import type { Frame } from './framer.ts';
import { REGION_ACCESS_BYTES } from './region-access.ts';

/** One write of REGION_WRITE_MULTI. */
export interface MultiWrite {
  offset: number;
  region: number;
  /** 1..8 bytes. */
  data: Uint8Array;
}

export const WRITE_MULTI_HEAD_BYTES = 8;
export const WRITE_MULTI_ENTRY_BYTES = 24;

export function encodeWriteMulti(writes: readonly MultiWrite[]): Uint8Array {
  const { bytes, view } = newPayload(WRITE_MULTI_HEAD_BYTES + writes.length * WRITE_MULTI_ENTRY_BYTES);
  view.setBigUint64(0, BigInt(writes.length), true);
  writes.forEach((write, index) => {
    const at = WRITE_MULTI_HEAD_BYTES + index * WRITE_MULTI_ENTRY_BYTES;
    view.setBigUint64(at, BigInt(write.offset), true);
    view.setUint32(at + 8, write.region, true);
    view.setUint32(at + 12, write.data.length, true);
    bytes.set(write.data, at + 16);
  });
  return bytes;
}

/** Number of entries; the payload is then known to hold them all, each with 1..8 bytes. */
export function checkWriteMulti(payload: Payload): number {
  requireBytes(payload, WRITE_MULTI_HEAD_BYTES, 'REGION_WRITE_MULTI');
  const count = u64Number(payload.view, payload.start);
  if (count > MAX_MULTI_WRITES) throw protocolError(`REGION_WRITE_MULTI: ${count} writes, ${MAX_MULTI_WRITES} at most`);
  const expected = WRITE_MULTI_HEAD_BYTES + count * WRITE_MULTI_ENTRY_BYTES;
  if (payload.length !== expected)
    throw protocolError(`REGION_WRITE_MULTI: ${payload.length} bytes for ${count} writes`);
  for (let index = 0; index < count; index++) {
    const at = payload.start + WRITE_MULTI_HEAD_BYTES + index * WRITE_MULTI_ENTRY_BYTES;
    const bytes = payload.view.getUint32(at + 12, true);
    if (bytes < 1 || bytes > 8) throw protocolError(`REGION_WRITE_MULTI: write ${index} has ${bytes} bytes`);
  }
  return count;
}

/** The writes; `data` are views of the message. Throws what {@link checkWriteMulti} does. */
export function decodeWriteMulti(payload: Payload): MultiWrite[] {
  return Array.from({ length: checkWriteMulti(payload) }, (_, index) => {
    const at = payload.start + WRITE_MULTI_HEAD_BYTES + index * WRITE_MULTI_ENTRY_BYTES;
    const bytes = payload.view.getUint32(at + 12, true);
    return {
      offset: u64Number(payload.view, at),
      region: payload.view.getUint32(at + 8, true),
      data: payload.bytes.subarray(at + 16, at + 16 + bytes),
    };
  });
}

/** The payload that answers a write, or many, as carried out: the access, or how many they were, as the command has it. */
export function writtenReply(frame: Frame): Uint8Array {
  const bytes = frame.command === Command.REGION_WRITE_MULTI ? WRITE_MULTI_HEAD_BYTES : REGION_ACCESS_BYTES;
  return frame.bytes.subarray(frame.start, frame.start + Math.min(frame.length, bytes));
}
