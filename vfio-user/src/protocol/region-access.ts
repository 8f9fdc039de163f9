import { newPayload, type Payload, requireBytes, u64Number } from './fields.ts';

/** Fixed part of REGION_READ and REGION_WRITE, requests and replies; data follows. */
export interface RegionAccess {
  /** Bytes from the region's start; above 2^53 only good for "out of range". */
  offset: number;
  region: number;
  /** Bytes. */
  count: number;
}

export const REGION_ACCESS_BYTES = 16;

export function encodeRegionAccess(access: RegionAccess, data?: Uint8Array): Uint8Array {
  const { bytes, view } = newPayload(REGION_ACCESS_BYTES + (data?.length ?? 0));
  view.setBigUint64(0, BigInt(access.offset), true);
  view.setUint32(8, access.region, true);
  view.setUint32(12, access.count, true);
  if (data) bytes.set(data, REGION_ACCESS_BYTES);
  return bytes;
}

export function decodeRegionAccess(payload: Payload): RegionAccess {
  requireBytes(payload, REGION_ACCESS_BYTES, 'region access');
  const { view, start } = payload;
  return {
    offset: u64Number(view, start),
    region: view.getUint32(start + 8, true),
    count: view.getUint32(start + 12, true),
  };
}
