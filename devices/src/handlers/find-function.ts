import { readEntriesIfAny, resolveDeviceTreePath } from '@kata-mock/pci';
import { DeviceError } from '../errors.ts';
import { waitFor } from '../guest/wait.ts';
import type { HandlerContext } from './handler.ts';

/** Addresses an error lists at most. */
const MOST_LISTED = 32;

/** A PCI function that is there. */
export interface PresentFunction {
  readonly address: string;
  readonly devpath: string;
}

/** Finds the function at a device tree path, waiting for hot plug. The error says what is there instead. */
export async function findFunction(context: HandlerContext, deviceTreePath: string): Promise<PresentFunction> {
  const { sysfs } = context.guest;
  const look = () => {
    const resolved = resolveDeviceTreePath(sysfs, deviceTreePath);
    return resolved.exists ? resolved : undefined;
  };
  let cause: unknown;
  const options = { timeoutMs: context.hotplugTimeoutMs, signal: context.signal };
  const found = await waitFor(context.guest, look, options).catch((error: unknown) => {
    context.signal?.throwIfAborted();
    cause = error;
    return undefined;
  });
  if (found) return found;
  const why = cause instanceof Error ? cause.message : `nothing is at that place`;
  const there = readEntriesIfAny(`${sysfs}/bus/pci/devices`)
    .map((entry) => entry.name)
    .slice(0, MOST_LISTED);
  throw new DeviceError(
    'DEVICE_NOT_FOUND',
    `no PCI device at "${deviceTreePath}" after ${context.hotplugTimeoutMs} ms: ${why}; present: ${there.join(', ') || 'none'}`,
    { cause },
  );
}
