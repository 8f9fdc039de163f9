import { readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { isMissing, readEntriesIfAny } from './sysfs-names.ts';

/** What sysfs tells about one PCI function. Absent attributes are undefined, except NUMA where sysfs itself says -1. */
export interface PciFunction {
  /** `0000:a1:00.0` */
  readonly address: string;
  /** From the sysfs mount point, such as `/devices/pci0000:a0/0000:a0:00.0/0000:a1:00.0`. */
  readonly devpath: string;
  /** 16 bits each; class is 24 bits (base, sub, programming interface). */
  readonly vendor: number | undefined;
  readonly device: number | undefined;
  readonly class: number | undefined;
  /** -1 when the platform names none. */
  readonly numaNode: number;
  /** Bound driver. */
  readonly driver: string | undefined;
  /** Number of the IOMMU group, as text. */
  readonly iommuGroup: string | undefined;
  /** Name of the VFIO character device (`vfio7`) where the kernel has cdevs and the function is bound to vfio-pci. */
  readonly vfioDevice: string | undefined;
  readonly sriov: SriovLinks | undefined;
}

export interface SriovLinks {
  /** Address of the physical function, on a virtual one. */
  readonly physicalFunction: string | undefined;
  /** Addresses of the enabled virtual functions by index, on a physical one. */
  readonly virtualFunctions: readonly string[];
  readonly totalVfs: number | undefined;
  readonly numVfs: number | undefined;
}

/** Reads one function. @param sysfs mount point; @param devpath path of the function from there */
export function readFunction(sysfs: string, devpath: string): PciFunction {
  const directory = path.join(sysfs, devpath);
  return {
    address: path.basename(devpath),
    devpath,
    vendor: readNumber(directory, 'vendor'),
    device: readNumber(directory, 'device'),
    class: readNumber(directory, 'class'),
    numaNode: readNumber(directory, 'numa_node') ?? -1,
    driver: linkName(directory, 'driver'),
    iommuGroup: linkName(directory, 'iommu_group'),
    vfioDevice: readEntriesIfAny(path.join(directory, 'vfio-dev'))[0]?.name,
    sriov: readSriov(directory),
  };
}

/** Whether a function is a PCI-to-PCI or CardBus bridge. Only these: 0x0680 (other bridge) is what NVSwitches carry. */
export function isBridge(pciFunction: Pick<PciFunction, 'class'>): boolean {
  const subclass = pciFunction.class === undefined ? undefined : pciFunction.class >> 8;
  return subclass === 0x0604 || subclass === 0x0607;
}

/** One line of an attribute file without its newline, or undefined when the file does not exist. */
export function readAttribute(directory: string, name: string): string | undefined {
  try {
    return readFileSync(`${directory}/${name}`, 'utf8').trimEnd();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Base name of what a sysfs link points at, or undefined when there is no such link. */
export function linkName(directory: string, name: string): string | undefined {
  try {
    return path.basename(readlinkSync(`${directory}/${name}`));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function readNumber(directory: string, name: string): number | undefined {
  const text = readAttribute(directory, name);
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  return Number.isInteger(value) ? value : undefined;
}

function readSriov(directory: string): SriovLinks | undefined {
  const physicalFunction = linkName(directory, 'physfn');
  const totalVfs = readNumber(directory, 'sriov_totalvfs');
  if (physicalFunction === undefined && totalVfs === undefined) return undefined;
  const virtualFunctions: string[] = [];
  for (let index = 0; ; index++) {
    const name = linkName(directory, `virtfn${index}`);
    if (name === undefined) break;
    virtualFunctions.push(name);
  }
  return { physicalFunction, virtualFunctions, totalVfs, numVfs: readNumber(directory, 'sriov_numvfs') };
}
