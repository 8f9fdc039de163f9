import { formatPath, type PciPath, parsePath } from './path.ts';

/** Where a request says a device is: the root complex (bus number of its root bus) and the path below it. */
export interface DeviceTreePath {
  /** 0 for the machine's own root complex, else the bus number of a pxb root bus (0x20 and up). */
  readonly rootComplex: number;
  readonly path: PciPath;
}

/** Lowest bus number read as a pxb root bus. Slots end at 0x1f, so a first element from here on cannot be a slot. */
export const FIRST_PXB_BUS = 0x20;

/**
 * Reads the device tree path of a request. With three or more elements a first one of hex 0x20 or above names the
 * root complex (`20/00/02`); anything else is a path below root complex 00 (`02/00/01` is a nested path).
 */
export function parseDeviceTreePath(text: string): DeviceTreePath {
  const elements = text.split('/');
  const first = elements[0] as string;
  if (elements.length >= 3 && /^[0-9a-f]{1,2}$/i.test(first)) {
    const rootComplex = Number.parseInt(first, 16);
    if (rootComplex >= FIRST_PXB_BUS) return { rootComplex, path: parsePath(elements.slice(1).join('/')) };
  }
  return { rootComplex: 0, path: parsePath(text) };
}

/** The text a request carries: `a0/00.0/00.0`, or only the path for root complex 00. */
export function formatDeviceTreePath(value: DeviceTreePath): string {
  const path = formatPath(value.path);
  return value.rootComplex === 0 ? path : `${value.rootComplex.toString(16).padStart(2, '0')}/${path}`;
}
