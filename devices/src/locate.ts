import { DeviceError } from './errors.ts';
import type { DeviceNode, Guest } from './guest/guest.ts';
import { waitFor } from './guest/wait.ts';
import { handlerOf } from './handlers/index.ts';
import { lookUpNode, nodePathOf } from './nodes.ts';
import type { DeviceRequest } from './request.ts';
import { runGuestSteps } from './steps/run-guest-steps.ts';

/** Finds the guest's node of one device by the handler of its type, for storages that sit on a block device. */
export async function locateNode(
  guest: Guest,
  request: DeviceRequest,
  options: { hotplugTimeoutMs: number; signal?: AbortSignal },
): Promise<{ path: string; node: DeviceNode }> {
  const plan = await handlerOf(request).plan({ guest, inventory: undefined, warn: () => {}, ...options }, request);
  runGuestSteps(guest, plan.guestSteps);
  const source = plan.node;
  const look = () => {
    const node = source && lookUpNode(guest, source);
    return source && node ? { path: nodePathOf(guest, source) as string, node } : undefined;
  };
  const found = await waitFor(guest, look, { timeoutMs: options.hotplugTimeoutMs, signal: options.signal });
  if (found) return found;
  throw new DeviceError(
    'NODE_NOT_FOUND',
    `device ${request.type} "${request.id || request.vmPath}" has no node in the guest`,
  );
}
