import { DeviceError } from '../errors.ts';
import { waitFor } from '../guest/wait.ts';
import { findMockDevices, mockNameOf } from '../mock-devices.ts';
import type { DeviceRequest } from '../request.ts';
import { type DevicePlan, type HandlerContext, handlerFor } from './handler.ts';
import { addressesOf, passedFunctions } from './vfio-functions.ts';

/** Our own accelerator: by PCI path in an option, or by the UUID of its register. */
export const mockAccel = handlerFor(['mock-accel'], async (context, device) =>
  device.options.length > 0 ? byPath(context, device) : byUuid(context, device),
);

async function byPath(context: HandlerContext, device: DeviceRequest): Promise<DevicePlan> {
  const functions = await passedFunctions(context, device);
  const [only] = functions;
  if (functions.length !== 1 || !only) {
    const message = `device ${device.containerPath} of type mock-accel must name one function, its options name ${functions.length}`;
    throw new DeviceError('INVALID_REQUEST', message);
  }
  const options = { timeoutMs: context.hotplugTimeoutMs, signal: context.signal };
  const name = await waitFor(context.guest, () => mockNameOf(context.guest.sysfs, only.devpath), options);
  if (name === undefined) {
    const message = `${only.address} (host ${only.host}) has no mock-accel class device: the mock-accel driver is not bound to it`;
    throw new DeviceError('DEVICE_NOT_FOUND', message);
  }
  return { guestSteps: [], node: { kind: 'path', path: `/dev/${name}` }, addresses: addressesOf(functions) };
}

async function byUuid(context: HandlerContext, { id }: DeviceRequest): Promise<DevicePlan> {
  const uuid = id.toLowerCase();
  const list = () => findMockDevices(context.guest.sysfs, context.inventory);
  const options = { timeoutMs: context.hotplugTimeoutMs, signal: context.signal };
  const found = await waitFor(context.guest, () => list().find((mock) => mock.uuid === uuid), options);
  if (!found) {
    const there = list().map((mock) => mock.uuid);
    throw new DeviceError(
      'DEVICE_NOT_FOUND',
      `no mock-accel device with UUID "${id}"; present: ${there.join(', ') || 'none'}`,
    );
  }
  const addresses = found.hostAddress === undefined ? [] : [[found.hostAddress, found.guestAddress] as const];
  return { guestSteps: [], node: { kind: 'path', path: found.nodePath }, addresses };
}
