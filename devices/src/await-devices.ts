import type { Inventory, InventoryDevice } from '@kata-mock/contracts';
import type { Guest } from './guest/guest.ts';
import { waitFor } from './guest/wait.ts';
import { findMockDevices, type MockDevice } from './mock-devices.ts';

export interface AwaitOptions {
  readonly guest: Guest;
  readonly inventory: Inventory | undefined;
  readonly hotplugTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The guest's mock devices, once those are there that the host promised and a container needs. When time is over, those
 * that came: who needs another one says so.
 */
export async function awaitMockDevices(
  { guest, inventory, hotplugTimeoutMs, signal }: AwaitOptions,
  isNeeded: (entry: InventoryDevice, index: number) => boolean,
): Promise<MockDevice[]> {
  const needed = (inventory?.devices ?? []).flatMap((entry, index) => (isNeeded(entry, index) ? [index] : []));
  let present: MockDevice[] = [];
  const look = () => {
    present = findMockDevices(guest.sysfs, inventory);
    const indices = new Set(present.map(({ index }) => index));
    return needed.every((index) => indices.has(index)) ? present : undefined;
  };
  const timeoutMs = needed.length > 0 ? hotplugTimeoutMs : 0;
  return (await waitFor(guest, look, { timeoutMs, signal })) ?? present;
}
