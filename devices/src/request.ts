import type { Spec } from '@kata-mock/oci-spec';
import { DeviceError } from './errors.ts';

/** One Device message of a CreateContainer request. */
export interface DeviceRequest {
  readonly id: string;
  readonly type: string;
  readonly vmPath: string;
  readonly containerPath: string;
  readonly options: readonly string[];
}

/** What device handling needs of a CreateContainer request. */
export interface ContainerRequest {
  readonly containerId: string;
  readonly devices: readonly DeviceRequest[];
  readonly spec: Spec;
}

/** Refuses a Device message that names no type, no device or no place in the container. */
export function validateDevice(device: DeviceRequest): void {
  const refuse = (what: string) => {
    throw new DeviceError('INVALID_REQUEST', `invalid ${what} for device ${JSON.stringify(device)}`);
  };
  if (device.type === '') refuse('type');
  if (device.id === '' && device.vmPath === '') refuse('ID and VM path');
  if (device.containerPath === '') refuse('container path');
}
