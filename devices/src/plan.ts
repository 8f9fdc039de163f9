import type { Inventory } from '@kata-mock/contracts';
import { AddressMap } from './address-map.ts';
import { awaitMockDevices } from './await-devices.ts';
import { devicesByCdiNames, isNameOf, ownCdiNames } from './cdi/asked-devices.ts';
import { requestedCdiDevices } from './cdi/requested.ts';
import type { Guest } from './guest/guest.ts';
import type { DevicePlan } from './handlers/handler.ts';
import { handlerOf } from './handlers/index.ts';
import type { MockDevice } from './mock-devices.ts';
import { findPlaceholders, type Placeholder, unclaimedPaths } from './placeholders.ts';
import { type ContainerRequest, type DeviceRequest, validateDevice } from './request.ts';
import type { DeviceSettings } from './settings.ts';
import type { GuestStep } from './steps/steps.ts';

/** Where and how a request is planned. */
export interface PlanContext {
  readonly guest: Guest;
  /** What the host says it plugged; absent under another VMM. */
  readonly inventory: Inventory | undefined;
  readonly settings: DeviceSettings;
  readonly signal?: AbortSignal | undefined;
  warn(message: string): void;
}

/** A Device message and what its handler made of it. */
export interface PlannedDevice extends DevicePlan {
  readonly request: DeviceRequest;
}

/** Everything known about a container's devices before anything is changed. */
export interface ContainerPlan {
  readonly containerId: string;
  readonly devices: readonly PlannedDevice[];
  readonly placeholders: readonly Placeholder[];
  /** Qualified CDI names to inject after the spec was edited. */
  readonly cdiDevices: readonly string[];
  readonly guestSteps: readonly GuestStep[];
  /** Of Device messages, placeholders and CDI requests together. */
  readonly addresses: AddressMap;
  readonly mockDevices: readonly MockDevice[];
  /** The mock devices this container may see. */
  readonly asked: ReadonlySet<MockDevice>;
}

/** Reads the guest, waits for devices that are still to come, and plans. Changes nothing. */
export async function planContainer(context: PlanContext, request: ContainerRequest): Promise<ContainerPlan> {
  const devices = await planDevices(context, request.devices);
  const cdiDevices = requestedCdiDevices(request.spec, context.settings);
  const cdiNames = ownCdiNames(cdiDevices);
  const paths = unclaimedPaths(request.spec, request.devices);
  const mockDevices = await awaitMockDevices(
    { ...context, hotplugTimeoutMs: context.settings.hotplugTimeoutMs },
    (entry, index) => paths.includes(entry.containerPath) || cdiNames.some((name) => isNameOf(name, entry, index)),
  );
  const throughCdi = devicesByCdiNames(cdiNames, mockDevices);
  const placeholders = findPlaceholders(paths, mockDevices, context);
  const byAddress = new Map(mockDevices.map((device) => [device.guestAddress, device]));
  const guestAddresses = devices.flatMap((device) => device.addresses.map(([, guest]) => guest));
  const asked = new Set<MockDevice>();
  for (const address of [...guestAddresses, ...throughCdi.map((device) => device.guestAddress)]) {
    const device = byAddress.get(address);
    if (device) asked.add(device);
  }
  for (const device of devices) for (const mock of ofNode(device, mockDevices)) asked.add(mock);
  for (const { device } of placeholders) asked.add(device);
  return {
    containerId: request.containerId,
    devices,
    placeholders,
    cdiDevices,
    guestSteps: devices.flatMap((device) => device.guestSteps),
    addresses: mapAddresses(devices, asked),
    mockDevices,
    asked,
  };
}

async function planDevices(context: PlanContext, requests: readonly DeviceRequest[]): Promise<PlannedDevice[]> {
  const { guest, inventory, settings, signal, warn } = context;
  const planned: PlannedDevice[] = [];
  const handlerContext = { guest, inventory, hotplugTimeoutMs: settings.hotplugTimeoutMs, signal, warn };
  for (const request of requests) {
    validateDevice(request);
    planned.push({ request, ...(await handlerOf(request).plan(handlerContext, request)) });
  }
  return planned;
}

/** A device named by UUID has no address when the inventory lacks it; its node still tells which it is. */
function ofNode(device: PlannedDevice, mockDevices: readonly MockDevice[]): MockDevice[] {
  const { node } = device;
  return node?.kind === 'path' ? mockDevices.filter((mock) => mock.nodePath === node.path) : [];
}

/** One map for the container. Upstream keeps only the last Device message's. */
function mapAddresses(devices: readonly PlannedDevice[], asked: ReadonlySet<MockDevice>): AddressMap {
  const map = new AddressMap(devices.flatMap((device) => device.addresses));
  for (const { hostAddress, guestAddress } of asked) {
    if (hostAddress !== undefined) map.add(hostAddress, guestAddress);
  }
  return map;
}
