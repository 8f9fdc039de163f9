import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { formatBus } from '../address.ts';
import { addMockAccel, addVirtio, type TreeRoots } from './class-devices.ts';
import type { FunctionDescription } from './description.ts';
import { attribute, isLink, link, put } from './files.ts';

/** One function and where it goes. */
export interface PlacedFunction {
  readonly address: string;
  /** From the sysfs mount point. */
  readonly devpath: string;
  readonly description: FunctionDescription;
  /** Bus below it, for bridges. */
  readonly downstreamBus: number | undefined;
}

/** Writes everything sysfs and /dev show for one function. */
export function writeFunction(
  roots: TreeRoots,
  { address, devpath, description, downstreamBus }: PlacedFunction,
): void {
  const directory = path.join(roots.sysfs, devpath);
  const isBridge = downstreamBus !== undefined;
  attribute(directory, 'vendor', description.vendor ?? '0x1de5');
  attribute(directory, 'device', description.device ?? '0x0001');
  attribute(directory, 'class', description.class ?? (isBridge ? '0x060400' : '0x000000'));
  attribute(directory, 'numa_node', description.numaNode ?? -1);
  attribute(directory, 'driver_override', '(null)');
  put(path.join(directory, 'uevent'), `PCI_SLOT_NAME=${address}\n`);
  link(path.join(roots.sysfs, 'bus/pci/devices', address), directory);
  if (isBridge) writePciBus(directory, downstreamBus, description.pciBus ?? 'one');
  if (description.driver) bindDriver(roots, address, directory, description.driver);
  if (description.iommuGroup !== undefined) joinGroup(roots, address, directory, description.iommuGroup);
  if (description.vfioDevice) mkdirSync(path.join(directory, 'vfio-dev', description.vfioDevice), { recursive: true });
  if (description.totalVfs !== undefined) attribute(directory, 'sriov_totalvfs', description.totalVfs);
  if (description.physicalFunction) linkVirtualFunction(directory, description.physicalFunction);
  if (description.mockAccel) addMockAccel(roots, directory, description.numaNode ?? -1, description.mockAccel);
  if (description.virtio) addVirtio(roots, directory, description.virtio);
  for (const hex of description.rawEntries ?? []) {
    writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(hex, 'hex')]), '');
  }
}

/** The link, and the driver's own list of what it drives. */
export function bindDriver(roots: TreeRoots, address: string, functionDir: string, driver: string): void {
  const driverDir = path.join(roots.sysfs, 'bus/pci/drivers', driver);
  for (const control of ['bind', 'unbind', 'new_id']) attribute(driverDir, control, '');
  link(path.join(functionDir, 'driver'), driverDir);
  link(path.join(driverDir, address), functionDir);
}

function joinGroup(roots: TreeRoots, address: string, functionDir: string, group: string): void {
  const groupDir = path.join(roots.sysfs, 'kernel/iommu_groups', group);
  link(path.join(functionDir, 'iommu_group'), groupDir);
  link(path.join(groupDir, 'devices', address), functionDir);
}

function writePciBus(directory: string, bus: number, kind: NonNullable<FunctionDescription['pciBus']>): void {
  if (kind === 'missing') return;
  mkdirSync(path.join(directory, 'pci_bus'), { recursive: true });
  if (kind === 'empty') return;
  mkdirSync(path.join(directory, 'pci_bus', formatBus(0, bus)));
  if (kind === 'double') mkdirSync(path.join(directory, 'pci_bus', formatBus(0, bus + 1)));
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
