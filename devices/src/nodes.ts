import { DeviceError } from './errors.ts';
import type { DeviceNode, Guest } from './guest/guest.ts';
import { waitFor } from './guest/wait.ts';
import type { NodeSource } from './handlers/handler.ts';
import { scsiDisk } from './handlers/scsi-disk.ts';
import type { ContainerPlan, PlanContext } from './plan.ts';
import type { DeviceUpdate } from './spec/device-updates.ts';

/** Path of the guest's node, or undefined while there is none. */
export function nodePathOf(guest: Guest, source: NodeSource): string | undefined {
  if (source.kind === 'path') return source.path;
  const disk = scsiDisk(guest.sysfs, source.target, source.lun);
  return disk === undefined ? undefined : `/dev/${disk}`;
}

/** What stands at a node source now. @throws DeviceError NODE_NOT_FOUND when it is no device */
export function lookUpNode(guest: Guest, source: NodeSource): DeviceNode | undefined {
  const path = nodePathOf(guest, source);
  const node = path === undefined ? undefined : guest.readNode(path);
  if (node === 'other')
    throw new DeviceError('NODE_NOT_FOUND', `Unknown device ${path}'s cgroup type: it is no device`);
  return node;
}

/** Finds the guest's node of every device in a plan, waiting for those that guest steps bring. */
export async function findNodes(context: PlanContext, plan: ContainerPlan): Promise<DeviceUpdate[]> {
  const updates: DeviceUpdate[] = [];
  for (const { request, node: source, newPath, guestSteps } of plan.devices) {
    if (!source) continue;
    const timeoutMs = guestSteps.length > 0 ? context.settings.hotplugTimeoutMs : 0;
    const look = () => lookUpNode(context.guest, source);
    const node = await waitFor(context.guest, look, { timeoutMs, signal: context.signal });
    if (!node) throw missing(source);
    updates.push({ containerPath: request.containerPath, node, newPath, isPlaceholder: false });
  }
  return [...updates, ...placeholderUpdates(plan)];
}

/** Placeholders need no waiting: their device was found in sysfs, numbers and all. */
export function placeholderUpdates(plan: ContainerPlan): DeviceUpdate[] {
  return plan.placeholders.map(({ containerPath, device }) => ({
    containerPath,
    node: device.node,
    isPlaceholder: true,
  }));
}

function missing(source: NodeSource): DeviceError {
  const what =
    source.kind === 'path' ? `VM device path ${source.path}` : `disk of SCSI address ${source.target}:${source.lun}`;
  return new DeviceError('NODE_NOT_FOUND', `${what} doesn't exist`);
}
