import { DeviceError } from './errors.ts';
import type { DeviceNode, Guest } from './guest/guest.ts';
import { handlerOf } from './handlers/index.ts';
import { awaitNode } from './nodes.ts';
import type { DeviceRequest } from './request.ts';
import { runGuestSteps } from './steps/run-guest-steps.ts';

/** Finds the guest's node of one device by the handler of its type, for storages that sit on a block device. */
export async function locateNode(
  guest: Guest,
  request: DeviceRequest,
  options: { hotplugTimeoutMs: number; signal?: AbortSignal },
): Promise<{ path: string; node: DeviceNode }> {
  const plan = await handlerOf(request).plan({ guest, inventory: undefined, warn: () => {}, ...options }, request);
  await runGuestSteps(guest, plan.guestSteps);
  if (plan.node) return awaitNode(guest, plan.node, options);
  throw new DeviceError('INVALID_REQUEST', `a device of type ${request.type} has no node in the guest`);
}
