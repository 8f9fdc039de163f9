import { existsSync } from 'node:fs';
import path from 'node:path';
import { linkName } from '../function.ts';
import { readNamesIfAny } from '../sysfs-names.ts';
import type { ClassDevice } from './class-devices.ts';
import type { PlacedFunction } from './function-files.ts';
import { writeNode } from './nodes.ts';

export const VFIO_DRIVER = 'vfio-pci';

/** Majors that a kernel would hand out; the minor of a group is its number, so that tests can tell. */
const GROUP_MAJOR = 243;
const CDEV_MAJOR = 242;

/** The device of one function's IOMMU group, which the functions of the group share. */
export function vfioGroup(sysfs: string, { devpath }: PlacedFunction): ClassDevice | undefined {
  const name = linkName(sysfs + devpath, 'iommu_group');
  if (name === undefined) return undefined;
  const node = { type: 'c' as const, major: GROUP_MAJOR, minor: Number(name), name: `vfio/${name}` };
  return { subsystem: 'vfio', name, devpath: `/devices/virtual/vfio/${name}`, attributes: {}, node };
}

/** The function's own character device, in kernels with IOMMUFD. */
export function vfioCdev({ devpath, description }: PlacedFunction): ClassDevice | undefined {
  const name = description.vfioDevice;
  if (!name) return undefined;
  return {
    subsystem: 'vfio-dev',
    name,
    devpath: `${devpath}/vfio-dev/${name}`,
    attributes: {},
    node: { type: 'c', major: CDEV_MAJOR, minor: Number(/\d+$/.exec(name)?.[0] ?? 0), name: `vfio/devices/${name}` },
    parent: devpath,
  };
}

/** Whether a function of the group is bound to vfio-pci. */
export function isGroupInUse(sysfs: string, group: string): boolean {
  const members = path.join(sysfs, 'kernel/iommu_groups', group, 'devices');
  return readNamesIfAny(members).some((address) => linkName(path.join(members, address), 'driver') === VFIO_DRIVER);
}

/** The node by which groups become containers; it comes with the module and stays. */
export function writeVfioContainer(dev: string): void {
  const file = path.join(dev, 'vfio/vfio');
  if (!existsSync(file)) writeNode(file, { type: 'c', major: 10, minor: 196 });
}
