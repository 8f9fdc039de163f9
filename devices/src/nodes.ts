import { DeviceError } from './errors.ts';
import type { DeviceNode, Guest } from './guest/guest.ts';
import { waitFor } from './guest/wait.ts';
import type { NodeSource } from './handlers/handler.ts';
import { scsiDisk } from './handlers/scsi-disk.ts';
import type { ContainerPlan, PlanContext, PlannedDevice } from './plan.ts';
import type { DeviceUpdate } from './spec/device-updates.ts';

/** Whether anything stands at a node source now. */
export function isNodeThere(guest: Guest, source: NodeSource): boolean {
  return standingAt(guest, source) !== undefined;
}

/**
 * Waits for the node of a device: the kernel makes it after the directory in sysfs by which the device was found, and
 * what a shim names by its node is found by nothing else.
 * @throws DeviceError NODE_NOT_FOUND when there is none in time, or something that is no device
 */
export async function awaitNode(
  guest: Guest,
  source: NodeSource,
  options: { readonly hotplugTimeoutMs: number; readonly signal?: AbortSignal | undefined },
): Promise<{ path: string; node: DeviceNode }> {
  const { hotplugTimeoutMs: timeoutMs, signal } = options;
  const found = await waitFor(guest, () => standingAt(guest, source), { timeoutMs, signal });
  if (!found) throw missing(source);
  const { path, node } = found;
  if (node !== 'other') return { path, node };
  throw new DeviceError('NODE_NOT_FOUND', `Unknown device ${path}'s cgroup type: it is no device`);
}

/** Finds the guest's node of every planned device that has one. */
export async function findNodes(context: PlanContext, devices: readonly PlannedDevice[]): Promise<DeviceUpdate[]> {
  const options = { hotplugTimeoutMs: context.settings.hotplugTimeoutMs, signal: context.signal };
  const updates: DeviceUpdate[] = [];
  for (const { request, node: source, newPath } of devices) {
    if (!source) continue;
    const { node } = await awaitNode(context.guest, source, options);
    updates.push({ containerPath: request.containerPath, node, newPath, isPlaceholder: false });
  }
  return updates;
}

/** Placeholders need no waiting: their device was found in sysfs, numbers and all. */
export function placeholderUpdates(plan: ContainerPlan): DeviceUpdate[] {
  return plan.placeholders.map(({ containerPath, device }) => ({
    containerPath,
    node: device.node,
    isPlaceholder: true,
  }));
}

function standingAt(guest: Guest, source: NodeSource): { path: string; node: DeviceNode | 'other' } | undefined {
  const path = source.kind === 'path' ? source.path : diskPath(guest, source);
  const node = path === undefined ? undefined : guest.readNode(path);
  return path === undefined || node === undefined ? undefined : { path, node };
}

function diskPath(guest: Guest, { target, lun }: { target: number; lun: number }): string | undefined {
  const disk = scsiDisk(guest.sysfs, target, lun);
  return disk === undefined ? undefined : `/dev/${disk}`;
}

function missing(source: NodeSource): DeviceError {
  const what =
    source.kind === 'path' ? `VM device path ${source.path}` : `disk of SCSI address ${source.target}:${source.lun}`;
  return new DeviceError('NODE_NOT_FOUND', `${what} doesn't exist`);
}
