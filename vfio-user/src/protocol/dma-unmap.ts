import { DmaUnmapFlag, MAX_DATA_XFER_BYTES } from './constants.ts';
import { protocolError } from './errno.ts';
import { newPayload, type Payload, requireArgsz, requireBytes } from './fields.ts';

export interface DmaUnmap {
  /** Room for the reply's payload, bytes. */
  argsz: number;
  /** {@link DmaUnmapFlag}. */
  flags: number;
  address: bigint;
  size: bigint;
  /** Wanted with GET_DIRTY_BITMAP: page size and bytes of the bitmap. */
  bitmap?: { pageBytes: bigint; bytes: bigint };
}

export const DMA_UNMAP_BYTES = 24;
const BITMAP_HEAD_BYTES = 16;

export function encodeDmaUnmap(unmap: Omit<DmaUnmap, 'argsz'> & { argsz?: number }, bitmap?: Uint8Array): Uint8Array {
  const head = DMA_UNMAP_BYTES + (unmap.bitmap ? BITMAP_HEAD_BYTES : 0);
  const { bytes, view } = newPayload(head + (bitmap?.length ?? 0));
  view.setUint32(0, unmap.argsz ?? head + Number(unmap.bitmap?.bytes ?? 0n), true);
  view.setUint32(4, unmap.flags, true);
  view.setBigUint64(8, unmap.address, true);
  view.setBigUint64(16, unmap.size, true);
  if (unmap.bitmap) {
    view.setBigUint64(24, unmap.bitmap.pageBytes, true);
    view.setBigUint64(32, unmap.bitmap.bytes, true);
  }
  if (bitmap) bytes.set(bitmap, head);
  return bytes;
}

export function decodeDmaUnmap(payload: Payload): DmaUnmap {
  requireBytes(payload, DMA_UNMAP_BYTES, 'DMA_UNMAP');
  const { view, start } = payload;
  const argsz = view.getUint32(start, true);
  requireArgsz(argsz, DMA_UNMAP_BYTES, 'DMA_UNMAP');
  if (argsz > MAX_DATA_XFER_BYTES) throw protocolError(`DMA_UNMAP: argsz ${argsz} is above 1 MiB`);
  const flags = view.getUint32(start + 4, true);
  const known = DmaUnmapFlag.GET_DIRTY_BITMAP | DmaUnmapFlag.ALL;
  if ((flags & ~known) !== 0 || flags === known) throw protocolError(`DMA_UNMAP: flags 0x${flags.toString(16)}`);
  const unmap: DmaUnmap = {
    argsz,
    flags,
    address: view.getBigUint64(start + 8, true),
    size: view.getBigUint64(start + 16, true),
  };
  if (flags === DmaUnmapFlag.ALL && (unmap.address !== 0n || unmap.size !== 0n))
    throw protocolError('DMA_UNMAP: ALL together with an address or size');
  if (flags === DmaUnmapFlag.GET_DIRTY_BITMAP) {
    const head = DMA_UNMAP_BYTES + BITMAP_HEAD_BYTES;
    requireBytes(payload, head, 'DMA_UNMAP with bitmap');
    unmap.bitmap = { pageBytes: view.getBigUint64(start + 24, true), bytes: view.getBigUint64(start + 32, true) };
    if (BigInt(argsz) < BigInt(head) + unmap.bitmap.bytes)
      throw protocolError(`DMA_UNMAP: argsz ${argsz} leaves no room for a bitmap of ${unmap.bitmap.bytes} bytes`);
  }
  return unmap;
}
