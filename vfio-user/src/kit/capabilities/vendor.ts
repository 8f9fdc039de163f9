import { type Capability, capability } from './capability.ts';

/** Vendor-specific capability with read-only data. */
export function vendorSpecific(data: Uint8Array): Capability {
  const bytes = 3 + data.length;
  return capability(0x09, bytes, (view) => {
    view.setUint8(2, bytes);
    for (const [index, byte] of data.entries()) view.setUint8(3 + index, byte);
  });
}

/** Vendor-specific extended capability (VSEC) with read-only data. */
export function vendorSpecificExtended(id: number, revision: number, data: Uint8Array): Capability {
  const bytes = 8 + data.length;
  const fill = (view: DataView) => {
    view.setUint32(4, id | (revision << 16) | (bytes << 20), true);
    for (const [index, byte] of data.entries()) view.setUint8(8 + index, byte);
  };
  return capability(0x0b, bytes, fill, { version: 1 });
}
