import path from 'node:path';
import { isAddressName, parseAddress } from './address.ts';
import { type DeviceTreePath, formatDeviceTreePath } from './device-tree-path.ts';
import { isBridge, type PciFunction, readFunction } from './function.ts';
import { listRootBuses, type RootBus } from './root-bus.ts';
import { readEntriesIfAny } from './sysfs-names.ts';

/** A function, where it sits, and what is below it. */
export interface TopologyNode extends PciFunction {
  /** How a request would name it; undefined outside PCI domain 0, where requests cannot name anything. */
  readonly deviceTreePath: DeviceTreePath | undefined;
  readonly isBridge: boolean;
  readonly children: readonly TopologyNode[];
}

export interface RootComplex extends RootBus {
  readonly children: readonly TopologyNode[];
}

/** Reads the whole PCI hierarchy of a sysfs tree: root complexes by bus, functions by address below each. */
export function readTopology(sysfs: string): RootComplex[] {
  return listRootBuses(sysfs).map((root) => ({
    ...root,
    children: readChildren(sysfs, root.devpath, pathOfRoot(root)),
  }));
}

/** Every function of a topology, bridges included, parents before children. */
export function* functionsOf(roots: readonly RootComplex[]): Generator<TopologyNode> {
  for (const root of roots) yield* walk(root.children);
}

/** The device tree path as text, for a request or an inventory. */
export function deviceTreePathOf({ deviceTreePath }: TopologyNode): string | undefined {
  return deviceTreePath && formatDeviceTreePath(deviceTreePath);
}

function pathOfRoot({ bus }: RootBus): DeviceTreePath | undefined {
  const isNamed = bus.startsWith('0000:');
  return isNamed ? { rootComplex: Number.parseInt(bus.slice(-2), 16), path: [] } : undefined;
}

function* walk(nodes: readonly TopologyNode[]): Generator<TopologyNode> {
  for (const node of nodes) {
    yield node;
    yield* walk(node.children);
  }
}

function readChildren(sysfs: string, devpath: string, parent: DeviceTreePath | undefined): TopologyNode[] {
  return readEntriesIfAny(path.join(sysfs, devpath))
    .filter((entry) => entry.isDirectory && isAddressName(entry.name))
    .map(({ name }) => {
      const childPath = `${devpath}/${name}`;
      const { slot, function: fn } = parseAddress(name);
      const deviceTreePath = parent && { ...parent, path: [...parent.path, { slot, function: fn }] };
      const details = readFunction(sysfs, childPath);
      return {
        ...details,
        deviceTreePath,
        isBridge: isBridge(details),
        children: readChildren(sysfs, childPath, deviceTreePath),
      };
    });
}
