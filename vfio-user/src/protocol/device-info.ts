import { newPayload, type Payload, requireArgsz, requireBytes } from './fields.ts';

export interface DeviceInfo {
  /** {@link DeviceFlag}. */
  flags: number;
  regions: number;
  irqs: number;
}

export const DEVICE_INFO_BYTES = 16;

export function encodeDeviceInfo(info: DeviceInfo, argsz = DEVICE_INFO_BYTES): Uint8Array {
  const { bytes, view } = newPayload(DEVICE_INFO_BYTES);
  view.setUint32(0, argsz, true);
  view.setUint32(4, info.flags, true);
  view.setUint32(8, info.regions, true);
  view.setUint32(12, info.irqs, true);
  return bytes;
}

export function decodeDeviceInfo(payload: Payload): DeviceInfo {
  requireBytes(payload, DEVICE_INFO_BYTES, 'DEVICE_GET_INFO');
  const { view, start } = payload;
  requireArgsz(view.getUint32(start, true), DEVICE_INFO_BYTES, 'DEVICE_GET_INFO');
  return {
    flags: view.getUint32(start + 4, true),
    regions: view.getUint32(start + 8, true),
    irqs: view.getUint32(start + 12, true),
  };
}
