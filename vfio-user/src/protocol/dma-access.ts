import { protocolError } from './errno.ts';
import { newPayload, type Payload, requireBytes, u64Number } from './fields.ts';

/**
 * How DMA_READ and DMA_WRITE are laid out. The written specification, libvfio-user and QEMU 11.1 have a 64-bit count and
 * data at 16 (`spec`). QEMU 10.1 and 10.2 have a 32-bit count and data at 12, want every message padded as if the prefix
 * were 16 bytes, and answer a write with a bare header (`qemu`).
 */
export type DmaLayout = 'spec' | 'qemu';

export interface DmaAccess {
  address: bigint;
  /** Bytes. */
  count: number;
}

const PREFIX_BYTES = 16;
const dataAt = (layout: DmaLayout) => (layout === 'qemu' ? 12 : 16);

export function encodeDmaRead(access: DmaAccess, layout: DmaLayout): Uint8Array {
  return encode(access, layout, 0).bytes;
}

export function encodeDmaWrite(address: bigint, data: Uint8Array, layout: DmaLayout): Uint8Array {
  const { bytes } = encode({ address, count: data.length }, layout, data.length);
  bytes.set(data, dataAt(layout));
  return bytes;
}

/** Address and count of a request or reply; the count is not yet compared with the payload. */
export function decodeDmaAccess(payload: Payload, layout: DmaLayout): DmaAccess {
  requireBytes(payload, PREFIX_BYTES, 'DMA access');
  const { view, start } = payload;
  return {
    address: view.getBigUint64(start, true),
    count: layout === 'qemu' ? view.getUint32(start + 8, true) : u64Number(view, start + 8),
  };
}

/** The data of a DMA_READ reply or DMA_WRITE request, as a window on the payload. */
export function dmaData(payload: Payload, layout: DmaLayout): Uint8Array {
  const { count } = decodeDmaAccess(payload, layout);
  if (PREFIX_BYTES + count > payload.length)
    throw protocolError(`DMA access: ${count} bytes of data in a payload of ${payload.length}`);
  const at = payload.start + dataAt(layout);
  return payload.bytes.subarray(at, at + count);
}

function encode(access: DmaAccess, layout: DmaLayout, dataBytes: number) {
  const { bytes, view } = newPayload(PREFIX_BYTES + dataBytes);
  view.setBigUint64(0, access.address, true);
  if (layout === 'qemu') view.setUint32(8, access.count, true);
  else view.setBigUint64(8, BigInt(access.count), true);
  return { bytes, view };
}
