import { newPayload, type Payload, requireArgsz, requireBytes } from './fields.ts';

export interface IrqInfo {
  /** {@link IrqInfoFlag}. */
  flags: number;
  /** {@link PciIrq}. */
  index: number;
  /** Vectors. */
  count: number;
}

export const IRQ_INFO_BYTES = 16;

/** Request (flags and count 0) and reply have one layout. */
export function encodeIrqInfo(info: IrqInfo, argsz = IRQ_INFO_BYTES): Uint8Array {
  const { bytes, view } = newPayload(IRQ_INFO_BYTES);
  view.setUint32(0, argsz, true);
  view.setUint32(4, info.flags, true);
  view.setUint32(8, info.index, true);
  view.setUint32(12, info.count, true);
  return bytes;
}

export function decodeIrqInfo(payload: Payload): IrqInfo {
  requireBytes(payload, IRQ_INFO_BYTES, 'DEVICE_GET_IRQ_INFO');
  const { view, start } = payload;
  requireArgsz(view.getUint32(start, true), IRQ_INFO_BYTES, 'DEVICE_GET_IRQ_INFO');
  return {
    flags: view.getUint32(start + 4, true),
    index: view.getUint32(start + 8, true),
    count: view.getUint32(start + 12, true),
  };
}
