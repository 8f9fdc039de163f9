import { isAddressName } from './address.ts';
import { PciError } from './errors.ts';
import type { PciPath } from './path.ts';
import { formatSlotFunction } from './slot-function.ts';
import { isMissing, readEntries, readNames } from './sysfs-names.ts';

/**
 * Follows a PCI path through sysfs, one bridge at a time.
 *
 * @param root directory of the root bus, such as `/sys/devices/pci0000:00`
 * @param rootBus name of that bus, such as `0000:00`; the first element is looked up on it
 * @returns path below `root`, such as `/0000:00:02.0/0000:01:03.0`. Its last element need not exist.
 * @throws PciError BUS_NOT_FOUND naming the element whose downstream bus is not one and only one
 */
export function pciPathToSysfs(root: string, rootBus: string, pciPath: PciPath): string {
  if (pciPath.length === 0) throw new PciError('INVALID_PATH', 'empty PCI path');
  let bus = rootBus;
  let relative = '';
  for (const [index, element] of pciPath.entries()) {
    const function_ = `${bus}:${formatSlotFunction(element)}`;
    relative += `/${function_}`;
    if (index === pciPath.length - 1) break;
    try {
      bus = downstreamBus(root + relative);
    } catch (error) {
      const context = `failed to resolve next bus for PCI path element ${index} (device ${function_}) under root ${root}`;
      throw PciError.wrap(context, error, 'BUS_NOT_FOUND');
    }
  }
  return relative;
}

/** Name of the one bus below a bridge, such as `0000:01`. */
export function downstreamBus(bridge: string): string {
  const directory = `${bridge}/pci_bus`;
  const names = namesOf(directory);
  if (!names) return busOfChildren(bridge);
  const [only] = names;
  if (names.length === 1 && only !== undefined) return only;
  const found = `expected exactly one PCI bus in ${directory}, got ${names.length}`;
  throw new PciError('BUS_NOT_FOUND', names.length === 0 ? found : `${found} [${names.join(', ')}]`);
}

/** Some kernels and fake trees lack `pci_bus`; then the children's addresses tell the bus. */
function busOfChildren(bridge: string): string {
  try {
    return onlyBus(bridge);
  } catch (error) {
    const inferred = PciError.wrap(
      `failed to infer downstream bus from child PCI devices under ${bridge}`,
      error,
      'BUS_NOT_FOUND',
    );
    const context = `bridge ${bridge} has no pci_bus directory; fallback to child device scan failed`;
    throw PciError.wrap(context, inferred, 'BUS_NOT_FOUND');
  }
}

function onlyBus(bridge: string): string {
  const buses = new Set<string>();
  for (const entry of readEntries(bridge)) {
    // Links (virtfn0, physfn ...) and plain files name devices that are not below this bridge.
    if (entry.isDirectory && isAddressName(entry.name)) buses.add(entry.name.slice(0, entry.name.lastIndexOf(':')));
  }
  const [only] = buses;
  if (only === undefined) throw new PciError('BUS_NOT_FOUND', 'no downstream PCI devices found');
  if (buses.size > 1)
    throw new PciError('BUS_NOT_FOUND', `multiple downstream buses found: [${[...buses].join(', ')}]`);
  return only;
}

function namesOf(directory: string): string[] | undefined {
  try {
    return readNames(directory);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
