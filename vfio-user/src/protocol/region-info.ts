import { RegionCapability, RegionFlag } from './constants.ts';
import { protocolError } from './errno.ts';
import { newPayload, type Payload, requireArgsz, requireBytes, u64Number } from './fields.ts';

/** Part of a region that the client may map. */
export interface MmapArea {
  /** Bytes from the region's start. */
  offset: number;
  /** Bytes. */
  size: number;
}

export interface RegionInfo {
  argsz: number;
  /** {@link RegionFlag}. */
  flags: number;
  index: number;
  /** Bytes; 0 means the region does not exist. */
  size: bigint;
  /** Byte position of the region's start in the descriptor that comes with the reply. */
  offset: bigint;
  /** Sparse mmap capability. */
  areas?: MmapArea[];
}

export const REGION_INFO_BYTES = 32;
const SPARSE_HEAD_BYTES = 16;
const AREA_BYTES = 16;

export function encodeRegionInfoRequest(index: number, argsz = REGION_INFO_BYTES): Uint8Array {
  const { bytes, view } = newPayload(REGION_INFO_BYTES);
  view.setUint32(0, argsz, true);
  view.setUint32(8, index, true);
  return bytes;
}

export function decodeRegionInfoRequest(payload: Payload): { argsz: number; index: number } {
  requireBytes(payload, REGION_INFO_BYTES, 'DEVICE_GET_REGION_INFO');
  const argsz = payload.view.getUint32(payload.start, true);
  requireArgsz(argsz, REGION_INFO_BYTES, 'DEVICE_GET_REGION_INFO');
  return { argsz, index: payload.view.getUint32(payload.start + 8, true) };
}

/** The reply for a client with `argsz` bytes of room: without the capability, and naming the room needed, when that is too little. */
export function encodeRegionInfo(info: Omit<RegionInfo, 'argsz'>, argsz: number): Uint8Array {
  const areas = info.areas ?? [];
  const needed = REGION_INFO_BYTES + (areas.length > 0 ? SPARSE_HEAD_BYTES + areas.length * AREA_BYTES : 0);
  const whole = areas.length > 0 && argsz >= needed;
  const { bytes, view } = newPayload(whole ? needed : REGION_INFO_BYTES);
  view.setUint32(0, needed, true);
  view.setUint32(4, info.flags | (whole ? RegionFlag.CAPS : 0), true);
  view.setUint32(8, info.index, true);
  view.setUint32(12, whole ? REGION_INFO_BYTES : 0, true);
  view.setBigUint64(16, info.size, true);
  view.setBigUint64(24, info.offset, true);
  if (!whole) return bytes;
  view.setUint16(32, RegionCapability.SPARSE_MMAP, true);
  view.setUint16(34, 1, true);
  view.setUint32(40, areas.length, true);
  areas.forEach((area, index) => {
    view.setBigUint64(48 + index * AREA_BYTES, BigInt(area.offset), true);
    view.setBigUint64(56 + index * AREA_BYTES, BigInt(area.size), true);
  });
  return bytes;
}

export function decodeRegionInfo(payload: Payload): RegionInfo {
  requireBytes(payload, REGION_INFO_BYTES, 'region info reply');
  const { view, start } = payload;
  const info: RegionInfo = {
    argsz: view.getUint32(start, true),
    flags: view.getUint32(start + 4, true),
    index: view.getUint32(start + 8, true),
    size: view.getBigUint64(start + 16, true),
    offset: view.getBigUint64(start + 24, true),
  };
  let capability = (info.flags & RegionFlag.CAPS) === 0 ? 0 : view.getUint32(start + 12, true);
  // A chain that only ever moves forward cannot loop.
  for (let last = 0; capability !== 0; ) {
    if (capability <= last || capability + 8 > payload.length)
      throw protocolError(`region info reply: capability at ${capability} of ${payload.length} bytes`);
    if (view.getUint16(start + capability, true) === RegionCapability.SPARSE_MMAP)
      info.areas = decodeAreas(payload, capability);
    last = capability;
    capability = view.getUint32(start + capability + 4, true);
  }
  return info;
}

function decodeAreas(payload: Payload, at: number): MmapArea[] {
  requireBytes(payload, at + SPARSE_HEAD_BYTES, 'sparse mmap capability');
  const { view, start } = payload;
  const count = view.getUint32(start + at + 8, true);
  requireBytes(payload, at + SPARSE_HEAD_BYTES + count * AREA_BYTES, 'sparse mmap capability');
  return Array.from({ length: count }, (_, index) => {
    const area = start + at + SPARSE_HEAD_BYTES + index * AREA_BYTES;
    return { offset: u64Number(view, area), size: u64Number(view, area + 8) };
  });
}
