import { DeviceError } from '../errors.ts';
import { handlerFor } from './handler.ts';

/** Kinds whose node the shim itself names: virtio-mmio block devices and NVDIMMs. */
export const vmPath = handlerFor(['mmioblk', 'nvdimm'], (_context, device) => {
  if (device.vmPath === '') {
    throw new DeviceError('INVALID_REQUEST', `device ${device.containerPath} of type ${device.type} has no VM path`);
  }
  if (!/^\/dev\/[^/]+$/.test(device.vmPath)) {
    throw new DeviceError('INVALID_REQUEST', `invalid VM path "${device.vmPath}": expected a node directly below /dev`);
  }
  return { guestSteps: [], node: { kind: 'path', path: device.vmPath }, addresses: [] };
});
