import { readNamesIfAny, resolveDeviceTreePath } from '@kata-mock/pci';
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
  try {
    const found = await waitFor(context.guest, look, options);
    if (found) return found;
  } catch (error) {
    context.signal?.throwIfAborted();
    cause = error;
  }
  const why = cause instanceof Error ? cause.message : `nothing is at that place`;
  const there = readNamesIfAny(`${sysfs}/bus/pci/devices`).slice(0, MOST_LISTED);
  throw new DeviceError(
    'DEVICE_NOT_FOUND',
    `no PCI device at "${deviceTreePath}" after ${context.hotplugTimeoutMs} ms: ${why}; present: ${there.join(', ') || 'none'}`,
    { cause },
  );
}
