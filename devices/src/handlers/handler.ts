import type { Inventory } from '@kata-mock/contracts';
import type { Guest } from '../guest/guest.ts';
import type { DeviceRequest } from '../request.ts';
import type { GuestStep } from '../steps/steps.ts';

/** What a handler may use. */
export interface HandlerContext {
  readonly guest: Guest;
  readonly inventory: Inventory | undefined;
  /** How long a device may take to come; 0 in a dry run. */
  readonly hotplugTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Tells something that is odd and not an error. */
  warn(message: string): void;
}

/** What one Device message comes to. Data only: nothing is done to guest or spec yet. */
export interface DevicePlan {
  /** To do before the node exists. */
  readonly guestSteps: readonly GuestStep[];
  /** Where the guest's node is; absent for devices that only have an address. */
  readonly node?: NodeSource;
  /** Path in the container when it is not the asked one. */
  readonly newPath?: string;
  /** Host and guest address of each PCI function. */
  readonly addresses: readonly (readonly [host: string, guest: string])[];
}

/** A node by path, or one that can be found once the guest steps ran. */
export type NodeSource =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'scsi-disk'; readonly target: number; readonly lun: number };

/** One kind of device: one file in this folder. */
export interface Handler {
  /** The `type` values it serves. */
  readonly types: readonly string[];
  matches(device: DeviceRequest): boolean;
  plan(context: HandlerContext, device: DeviceRequest): DevicePlan | Promise<DevicePlan>;
}

/** Fills in `matches` for a handler that goes by type alone: all of them, so far. */
export function handlerFor(types: readonly string[], plan: Handler['plan']): Handler {
  return { types, matches: (device) => types.includes(device.type), plan };
}
