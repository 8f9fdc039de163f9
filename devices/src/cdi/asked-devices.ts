import { cdiKind, type Inventory } from '@kata-mock/contracts';
import { DeviceError } from '../errors.ts';
import type { Guest } from '../guest/guest.ts';
import { waitFor } from '../guest/wait.ts';
import { findMockDevices, type MockDevice } from '../mock-devices.ts';

export interface AskedOptions {
  readonly inventory: Inventory | undefined;
  readonly hotplugTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The mock devices behind the CDI names of our own kind. One the inventory promises is waited for; any other unknown
 * name fails at once with the names that exist.
 */
export async function askedThroughCdi(
  guest: Guest,
  names: readonly string[],
  options: AskedOptions,
): Promise<MockDevice[]> {
  const prefix = `${cdiKind}=`;
  const own = names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  if (own.length === 0) return [];
  const { inventory, hotplugTimeoutMs: timeoutMs, signal } = options;
  let devices = findMockDevices(guest.sysfs, inventory);
  const isComplete = () => !own.some((name) => isAwaited(name, devices, inventory));
  if (!isComplete()) {
    const look = () => {
      devices = findMockDevices(guest.sysfs, inventory);
      return isComplete() || undefined;
    };
    await waitFor(guest, look, { timeoutMs, signal });
  }
  return [...new Set(own.flatMap((name) => devicesNamed(name, devices)))];
}

/** Every name a device goes by in our CDI kind, `all` aside. */
export function cdiNamesOf(device: MockDevice): string[] {
  return [...new Set([device.cdiName, `${device.index}`, device.uuid])];
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

function isAwaited(name: string, devices: readonly MockDevice[], inventory: Inventory | undefined): boolean {
  const promised = inventory?.devices ?? [];
  const missing = promised.filter((_, index) => !devices.some((device) => device.index === index));
  return missing.some(
    (entry) => name === 'all' || name === entry.cdiName || name === entry.uuid || name === `${promised.indexOf(entry)}`,
  );
}
