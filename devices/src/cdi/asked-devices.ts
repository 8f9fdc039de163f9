import { cdiKind, type InventoryDevice } from '@kata-mock/contracts';
import { DeviceError } from '../errors.ts';
import type { MockDevice } from '../mock-devices.ts';

/** Of qualified CDI names those of our own kind, as names within it. */
export function ownCdiNames(names: readonly string[]): string[] {
  const prefix = `${cdiKind}=`;
  return names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
}

/** Every name a device goes by in our CDI kind, `all` aside. */
export function cdiNamesOf(device: Pick<MockDevice, 'cdiName' | 'index' | 'uuid'>): string[] {
  return [...new Set([device.cdiName, `${device.index}`, device.uuid])];
}

/** Whether a name means a device that the host promised as number `index`. */
export function isNameOf(name: string, entry: InventoryDevice, index: number): boolean {
  return name === 'all' || cdiNamesOf({ ...entry, index }).includes(name);
}

/** The mock devices behind names of our own kind. An unknown one fails with the names that exist. */
export function devicesByCdiNames(names: readonly string[], devices: readonly MockDevice[]): MockDevice[] {
  return [...new Set(names.flatMap((name) => devicesNamed(name, devices)))];
}

function devicesNamed(name: string, devices: readonly MockDevice[]): MockDevice[] {
  if (name === 'all' && devices.length > 0) return [...devices];
  const found = devices.filter((device) => cdiNamesOf(device).includes(name));
  if (found.length > 0) return found;
  const names = devices.flatMap(cdiNamesOf);
  const there = names.length > 0 ? ['all', ...names].join(', ') : 'none, this VM has no mock device';
  throw new DeviceError(
    'CDI_UNRESOLVED',
    `CDI device ${cdiKind}=${name} does not exist; of that kind there are: ${there}`,
  );
}
