import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseDeviceTreePath } from './device-tree-path.ts';
import { findRootBus } from './root-bus.ts';
import { pciPathToSysfs } from './sysfs-path.ts';

/** Where the function a request names is, or would be, in sysfs. */
export interface ResolvedFunction {
  /** Guest address: `0000:a1:00.0`. */
  readonly address: string;
  /** From the sysfs mount point. */
  readonly devpath: string;
  readonly exists: boolean;
}

/**
 * From the device tree path of a request to the function in sysfs. The root bus number is the root complex, so a path
 * behind a pxb (`a0/00/00`) is looked up on bus a0.
 * @throws PciError INVALID_PATH, ROOT_BUS_NOT_FOUND or BUS_NOT_FOUND
 */
export function resolveDeviceTreePath(sysfs: string, text: string): ResolvedFunction {
  const { rootComplex, path: pciPath } = parseDeviceTreePath(text);
  const root = findRootBus(sysfs, rootComplex);
  const relative = pciPathToSysfs(sysfs + root.devpath, root.bus, pciPath);
  const devpath = root.devpath + relative;
  return { address: path.basename(devpath), devpath, exists: existsSync(sysfs + devpath) };
}
