import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { formatBus } from '../address.ts';
import { linkName } from '../function.ts';
import { readNamesIfAny } from '../sysfs-names.ts';
import type { FunctionDescription } from './description.ts';
import { attribute, isLink, link, put } from './files.ts';

/** One function and where it goes. */
export interface PlacedFunction {
  readonly address: string;
  /** From the sysfs mount point. */
  readonly devpath: string;
  readonly description: FunctionDescription;
  readonly domain: number;
  /** Bus below it, for bridges. */
  readonly downstreamBus: number | undefined;
  /** When it comes; what is below a bridge that comes late is no earlier. */
  readonly arrives: NonNullable<FunctionDescription['arrives']>;
}

/** Driver that finds a function when nobody overrides it. Class devices tell, where the description does not. */
export function ownDriver({ driver, mockAccel, virtio }: FunctionDescription): string | undefined {
  return driver ?? (mockAccel ? 'mock-accel' : virtio ? 'virtio-pci' : undefined);
}

/** Writes what sysfs shows of a function without a driver. */
export function writeFunction(sysfs: string, placed: PlacedFunction): void {
  const { address, devpath, description, downstreamBus } = placed;
  const directory = path.join(sysfs, devpath);
  const isBridge = downstreamBus !== undefined;
  attribute(directory, 'vendor', description.vendor ?? '0x1de5');
  attribute(directory, 'device', description.device ?? '0x0001');
  attribute(directory, 'class', description.class ?? (isBridge ? '0x060400' : '0x000000'));
  attribute(directory, 'numa_node', description.numaNode ?? -1);
  attribute(directory, 'driver_override', '(null)');
  put(path.join(directory, 'uevent'), `PCI_SLOT_NAME=${address}\n`);
  link(path.join(sysfs, 'bus/pci/devices', address), directory);
  if (isBridge) writePciBus(directory, placed.domain, downstreamBus, description.pciBus ?? 'one');
  if (description.iommuGroup !== undefined) joinGroup(sysfs, address, directory, description.iommuGroup);
  if (description.totalVfs !== undefined) attribute(directory, 'sriov_totalvfs', description.totalVfs);
  if (description.physicalFunction) linkVirtualFunction(directory, description.physicalFunction);
  for (const hex of description.rawEntries ?? []) {
    writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(hex, 'hex')]), '');
  }
}

/** Takes it away with the links that lead to it. */
export function removeFunction(sysfs: string, { address, devpath, description }: PlacedFunction): void {
  const directory = path.join(sysfs, devpath);
  const group = linkName(directory, 'iommu_group');
  rmSync(directory, { recursive: true, force: true });
  rmSync(path.join(sysfs, 'bus/pci/devices', address), { force: true });
  if (group !== undefined) leaveGroup(sysfs, address, group);
  if (description.physicalFunction) unlinkVirtualFunction(directory, description.physicalFunction);
}

/** The link, and the driver's own list of what it drives. */
export function bindDriver(sysfs: string, { address, devpath }: PlacedFunction, driver: string): void {
  const driverDir = path.join(sysfs, 'bus/pci/drivers', driver);
  for (const control of ['bind', 'unbind', 'new_id']) attribute(driverDir, control, '');
  link(path.join(sysfs, devpath, 'driver'), driverDir);
  link(path.join(driverDir, address), path.join(sysfs, devpath));
}

export function unbindDriver(sysfs: string, { address, devpath }: PlacedFunction, driver: string): void {
  rmSync(path.join(sysfs, devpath, 'driver'), { force: true });
  rmSync(path.join(sysfs, 'bus/pci/drivers', driver, address), { force: true });
}

function joinGroup(sysfs: string, address: string, functionDir: string, group: string): void {
  const groupDir = path.join(sysfs, 'kernel/iommu_groups', group);
  link(path.join(functionDir, 'iommu_group'), groupDir);
  link(path.join(groupDir, 'devices', address), functionDir);
}

/** The kernel drops a group with its last function. */
function leaveGroup(sysfs: string, address: string, group: string): void {
  const groupDir = path.join(sysfs, 'kernel/iommu_groups', group);
  rmSync(path.join(groupDir, 'devices', address), { force: true });
  if (readNamesIfAny(path.join(groupDir, 'devices')).length === 0) rmSync(groupDir, { recursive: true, force: true });
}

function writePciBus(
  directory: string,
  domain: number,
  bus: number,
  kind: NonNullable<FunctionDescription['pciBus']>,
): void {
  if (kind === 'missing') return;
  const names = kind === 'empty' ? [] : kind === 'double' ? [bus, bus + 1] : [bus];
  mkdirSync(path.join(directory, 'pci_bus'), { recursive: true });
  for (const one of names) mkdirSync(path.join(directory, 'pci_bus', formatBus(domain, one)));
}

/** Both directions of an SR-IOV pair; sysfs puts a virtual function beside its physical one. */
function linkVirtualFunction(directory: string, physical: string): void {
  const physicalDir = path.join(path.dirname(directory), physical);
  link(path.join(directory, 'physfn'), physicalDir);
  let index = 0;
  while (isLink(path.join(physicalDir, `virtfn${index}`))) index++;
  link(path.join(physicalDir, `virtfn${index}`), directory);
  attribute(physicalDir, 'sriov_numvfs', index + 1);
}

function unlinkVirtualFunction(directory: string, physical: string): void {
  const physicalDir = path.join(path.dirname(directory), physical);
  const links = readNamesIfAny(physicalDir).filter((name) => /^virtfn\d+$/.test(name));
  for (const name of links) {
    if (linkName(physicalDir, name) !== path.basename(directory)) continue;
    rmSync(path.join(physicalDir, name));
    attribute(physicalDir, 'sriov_numvfs', links.length - 1);
  }
}
