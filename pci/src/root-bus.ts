import { existsSync } from 'node:fs';
import path from 'node:path';
import { formatBus } from './address.ts';
import { PciError } from './errors.ts';
import { readEntriesIfAny } from './sysfs-names.ts';

/** Where sysfs keeps one root complex. */
export interface RootBus {
  /** Name of the root bus: `0000:a0`. */
  readonly bus: string;
  /** Path from the sysfs mount point: `/devices/pci0000:a0`. */
  readonly devpath: string;
}

/**
 * Finds a root complex below a sysfs mount point: `/devices/pci0000:<rc>`, or on machines described by a device tree
 * (arm64 without ACPI) the child of `/devices/platform` that holds it.
 * @param rootComplex bus number of the root bus
 */
export function findRootBus(sysfs: string, rootComplex: number): RootBus {
  if (!Number.isInteger(rootComplex) || rootComplex < 0 || rootComplex > 0xff) {
    throw new PciError('INVALID_ROOT_COMPLEX', `invalid PCI root complex ${rootComplex}: expected 0 to 255`);
  }
  const bus = formatBus(0, rootComplex);
  const name = `pci${bus}`;
  if (existsSync(`${sysfs}/devices/${name}`)) return { bus, devpath: `/devices/${name}` };
  const platform = platformRoots(sysfs).find((root) => root.bus === bus);
  if (platform) return platform;
  const there = listRootBuses(sysfs).map((root) => root.bus);
  throw new PciError(
    'ROOT_BUS_NOT_FOUND',
    `no PCI root complex ${bus} under ${sysfs}/devices or ${sysfs}/devices/platform; there are: ${there.join(', ') || 'none'}`,
  );
}

/** Every root complex of a sysfs tree, by bus. */
export function listRootBuses(sysfs: string): RootBus[] {
  const direct = readEntriesIfAny(path.join(sysfs, 'devices')).flatMap((entry) => rootBusOf(entry.name, '/devices'));
  return [...direct, ...platformRoots(sysfs)].sort((a, b) => (a.bus < b.bus ? -1 : a.bus > b.bus ? 1 : 0));
}

function platformRoots(sysfs: string): RootBus[] {
  const platform = path.join(sysfs, 'devices/platform');
  return readEntriesIfAny(platform)
    .filter((entry) => entry.isDirectory)
    .flatMap((parent) =>
      readEntriesIfAny(path.join(platform, parent.name)).flatMap((entry) =>
        rootBusOf(entry.name, `/devices/platform/${parent.name}`),
      ),
    );
}

function rootBusOf(name: string, parent: string): RootBus[] {
  const match = /^pci([0-9a-f]{4}:[0-9a-f]{2})$/.exec(name);
  return match ? [{ bus: match[1] as string, devpath: `${parent}/${name}` }] : [];
}
