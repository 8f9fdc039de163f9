import { existsSync } from 'node:fs';
import path from 'node:path';
import { type PciFunction, readAttribute } from '../function.ts';
import { readEntriesIfAny } from '../sysfs-names.ts';
import { type RootComplex, readTopology, type TopologyNode } from '../topology.ts';
import type {
  FunctionDescription,
  MockAccelDescription,
  RootDescription,
  TreeDescription,
  VirtioDescription,
} from './description.ts';

/**
 * Describes the PCI hierarchy of a live machine (or of a tree) so that `new FakeTree()` can build it elsewhere. Only
 * what the description language knows is taken: identity, places, drivers, groups, NUMA, SR-IOV, mock-accel and virtio
 * class devices. No names of the host, no serial numbers.
 * @param sysfs mount point, `/sys` for the machine itself
 */
export function snapshotTree(sysfs: string): TreeDescription {
  return { roots: readTopology(sysfs).map((root) => describeRoot(sysfs, root)) };
}

function describeRoot(sysfs: string, root: RootComplex): RootDescription {
  const domain = root.bus.slice(0, 4);
  return compact({
    domain: domain === '0000' ? undefined : domain,
    bus: root.bus.slice(-2),
    platform: platformOf(root.devpath),
    functions: root.children.map((child) => describeFunction(sysfs, child, root.bus.slice(-2))),
  });
}

function describeFunction(sysfs: string, node: TopologyNode, expectedBus: string): FunctionDescription {
  const directory = path.join(sysfs, node.devpath);
  const bus = node.address.slice(5, 7);
  const buses = readEntriesIfAny(path.join(directory, 'pci_bus')).map((entry) => entry.name.slice(-2));
  const downstream = buses[0] ?? node.children[0]?.address.slice(5, 7);
  const isParent = node.isBridge || node.children.length > 0;
  return compact({
    at: node.address.slice(8),
    bus: bus === expectedBus ? undefined : bus,
    vendor: hex(node.vendor, 4),
    device: hex(node.device, 4),
    class: hex(node.class, 6),
    numaNode: node.numaNode === -1 ? undefined : node.numaNode,
    driver: node.driver,
    iommuGroup: node.iommuGroup,
    vfioDevice: node.vfioDevice,
    downstreamBus: isParent ? downstream : undefined,
    pciBus: isParent ? describePciBus(path.join(directory, 'pci_bus'), buses.length) : undefined,
    totalVfs: node.sriov?.totalVfs,
    physicalFunction: node.sriov?.physicalFunction,
    mockAccel: describeMockAccel(directory),
    virtio: describeVirtio(directory),
    functions: isParent ? node.children.map((child) => describeFunction(sysfs, child, downstream ?? bus)) : undefined,
  } satisfies { [Key in keyof FunctionDescription]: FunctionDescription[Key] | undefined }) as FunctionDescription;
}

function describePciBus(directory: string, count: number): FunctionDescription['pciBus'] {
  if (!existsSync(directory)) return 'missing';
  return count === 1 ? undefined : count === 0 ? 'empty' : 'double';
}

function describeMockAccel(functionDir: string): MockAccelDescription | undefined {
  const parent = path.join(functionDir, 'mock-accel');
  const name = readEntriesIfAny(parent)[0]?.name;
  if (name === undefined) return undefined;
  const directory = path.join(parent, name);
  const node = readAttribute(directory, 'dev');
  const uuid = readAttribute(directory, 'uuid');
  if (node === undefined || uuid === undefined) return undefined;
  return compact({ name, uuid, node: `c ${node}`, memorySize: readAttribute(directory, 'memory_size') });
}

function describeVirtio(functionDir: string): VirtioDescription | undefined {
  const virtio = readEntriesIfAny(functionDir).find((entry) => /^virtio\d+$/.test(entry.name));
  if (!virtio) return undefined;
  const blockDir = path.join(functionDir, virtio.name, 'block');
  const block = readEntriesIfAny(blockDir)[0]?.name;
  const numbers = block && readAttribute(path.join(blockDir, block), 'dev');
  return compact({
    index: Number(virtio.name.slice('virtio'.length)),
    block: block && numbers ? { name: block, node: `b ${numbers}` } : undefined,
    net: readEntriesIfAny(path.join(functionDir, virtio.name, 'net'))[0]?.name,
  });
}

function platformOf(devpath: string): string | undefined {
  return /^\/devices\/platform\/([^/]+)\//.exec(devpath)?.[1];
}

function hex(value: PciFunction['vendor'], digits: number): string | undefined {
  return value === undefined ? undefined : `0x${value.toString(16).padStart(digits, '0')}`;
}

/** Without the keys whose value is undefined, so the description stays short on paper. */
function compact<T extends object>(value: T): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as never;
}
