import { newPayload, type Payload, requireArgsz, requireBytes } from './fields.ts';

/** Guest memory the client offers; with a descriptor unless it can only be reached by messages. */
export interface DmaMap {
  /** {@link DmaMapFlag}. */
  flags: number;
  /** Byte offset in the descriptor. */
  offset: bigint;
  /** I/O virtual address; the guest physical one without a virtual IOMMU. */
  address: bigint;
  /** Bytes. */
  size: bigint;
}

export const DMA_MAP_BYTES = 32;

export function encodeDmaMap(map: DmaMap): Uint8Array {
  const { bytes, view } = newPayload(DMA_MAP_BYTES);
  view.setUint32(0, DMA_MAP_BYTES, true);
  view.setUint32(4, map.flags, true);
  view.setBigUint64(8, map.offset, true);
  view.setBigUint64(16, map.address, true);
  view.setBigUint64(24, map.size, true);
  return bytes;
}

export function decodeDmaMap(payload: Payload): DmaMap {
  requireBytes(payload, DMA_MAP_BYTES, 'DMA_MAP');
  const { view, start } = payload;
  requireArgsz(view.getUint32(start, true), DMA_MAP_BYTES, 'DMA_MAP');
  return {
    flags: view.getUint32(start + 4, true),
    offset: view.getBigUint64(start + 8, true),
    address: view.getBigUint64(start + 16, true),
    size: view.getBigUint64(start + 24, true),
  };
}
