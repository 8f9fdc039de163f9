import { readlinkSync } from 'node:fs';
import type { Inventory, InventoryDevice } from '@kata-mock/contracts';
import {
  formatDeviceTreePath,
  isMissing,
  PciError,
  parseDeviceTreePath,
  readAttribute,
  readNamesIfAny,
} from '@kata-mock/pci';
import type { DeviceNode } from './guest/guest.ts';

/** A mock accelerator the guest's driver has bound. */
export interface MockDevice {
  /** Position in the inventory; without one, position by PCI path. Never the kernel's minor. */
  readonly index: number;
  readonly uuid: string;
  /** The kernel's name: `mock1`, `mock0_vf2`. */
  readonly name: string;
  /** `/dev/<name>` in the guest. */
  readonly nodePath: string;
  readonly node: DeviceNode;
  /** `0000:a1:00.0` */
  readonly guestAddress: string;
  /** Undefined for a device that is not in the inventory. */
  readonly hostAddress: string | undefined;
  /** PCI function and class device, from the sysfs mount point. */
  readonly devpath: string;
  readonly classDevpath: string;
  /** Where a container gets it unless it asks otherwise. */
  readonly containerPath: string;
  /** Name within the CDI kind. */
  readonly cdiName: string;
}

/** Where the kernel lists what the driver made. */
const CLASS = '/class/mock-accel';

/** From there to the mount point. */
const UP = '../..';

type Found = Pick<MockDevice, 'uuid' | 'name' | 'nodePath' | 'node' | 'guestAddress' | 'devpath' | 'classDevpath'>;

/** Lists the mock devices of a guest by index. Devices of the inventory come first; others follow by PCI path. */
export function findMockDevices(sysfs: string, inventory?: Inventory): MockDevice[] {
  const found = readClassDevices(sysfs).sort((a, b) => (a.devpath < b.devpath ? -1 : a.devpath > b.devpath ? 1 : 0));
  const known = matchInventory(found, inventory?.devices ?? []);
  const offset = inventory?.devices.length ?? 0;
  const matched = new Set(known.map(({ device }) => device));
  const unknown = found.filter((device) => !matched.has(device));
  return [
    ...known.map(({ device, entry, index }) => ({
      ...device,
      index,
      hostAddress: entry.hostAddress,
      containerPath: entry.containerPath,
      cdiName: entry.cdiName,
    })),
    ...unknown.map((device, position) => {
      const index = offset + position;
      return { ...device, index, hostAddress: undefined, containerPath: `/dev/mock${index}`, cdiName: `${index}` };
    }),
  ];
}

/** Name of the class device below one PCI function, when its driver has made it. */
export function mockNameOf(sysfs: string, devpath: string): string | undefined {
  return readNamesIfAny(`${sysfs}${devpath}/mock-accel`)[0];
}

/** NUMA node of a device, -1 for none. Read when asked for: few callers want it. */
export function numaNodeOf(sysfs: string, device: MockDevice): number {
  return Number(readAttribute(sysfs + device.classDevpath, 'numa_node') ?? -1);
}

function matchInventory(found: readonly Found[], entries: readonly InventoryDevice[]) {
  const byPlace = new Map(found.map((device) => [placeOf(device.devpath), device]));
  const byUuid = new Map(found.map((device) => [device.uuid, device]));
  return entries.flatMap((entry, index) => {
    // The place decides; the UUID alone serves where the VMM put the device elsewhere.
    const place = normalised(entry.deviceTreePath);
    const device = (place && byPlace.get(place)) || byUuid.get(entry.uuid);
    return device ? [{ device, entry, index }] : [];
  });
}

/** The device tree path of a function, from its path in sysfs; empty outside PCI domain 0, which those cannot name. */
function placeOf(devpath: string): string {
  const [, bus = '00', below = ''] = /\/pci0000:([0-9a-f]{2})\/(.*)$/.exec(devpath) ?? [];
  const slots = below.split('/').map((address) => address.slice(address.lastIndexOf(':') + 1));
  return bus === '00' ? slots.join('/') : `${bus}/${slots.join('/')}`;
}

function normalised(deviceTreePath: string): string | undefined {
  try {
    return formatDeviceTreePath(parseDeviceTreePath(deviceTreePath));
  } catch (error) {
    if (error instanceof PciError) return undefined;
    throw error;
  }
}

function readClassDevices(sysfs: string): Found[] {
  return readNamesIfAny(sysfs + CLASS).flatMap((name) => {
    const target = linkTarget(`${sysfs}${CLASS}/${name}`) ?? '';
    const end = `/mock-accel/${name}`;
    // sysfs has no other form of links in /sys/class.
    if (!target.startsWith(`${UP}/devices/`) || !target.endsWith(end) || target.includes('/..', UP.length)) return [];
    return readClassDevice(sysfs, target.slice(UP.length, -end.length), name) ?? [];
  });
}

function readClassDevice(sysfs: string, devpath: string, name: string): Found | undefined {
  const classDevpath = `${devpath}/mock-accel/${name}`;
  const directory = sysfs + classDevpath;
  const numbers = /^(\d+):(\d+)$/.exec(readAttribute(directory, 'dev') ?? '');
  const uuid = readAttribute(directory, 'uuid');
  if (!numbers || uuid === undefined) return undefined;
  return {
    uuid,
    name,
    nodePath: `/dev/${name}`,
    node: { type: 'c', major: Number(numbers[1]), minor: Number(numbers[2]) },
    guestAddress: devpath.slice(devpath.lastIndexOf('/') + 1),
    devpath,
    classDevpath,
  };
}

function linkTarget(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch (error) {
    if (isMissing(error) || (error as NodeJS.ErrnoException).code === 'EINVAL') return undefined;
    throw error;
  }
}
