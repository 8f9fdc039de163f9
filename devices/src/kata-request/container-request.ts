import type { CreateContainerRequest } from '@kata-mock/contracts';
import { DeviceError } from '../errors.ts';
import type { ContainerRequest } from '../request.ts';
import { specFromProto } from './oci-from-proto.ts';

/** The part of Kata's CreateContainer that device handling looks at. */
export function fromCreateContainer(message: CreateContainerRequest): ContainerRequest {
  if (!message.OCI)
    throw new DeviceError('INVALID_REQUEST', `container ${message.containerId} comes without an OCI spec`);
  return {
    containerId: message.containerId,
    devices: message.devices.map(({ id, type, vmPath, containerPath, options }) => ({
      id,
      type,
      vmPath,
      containerPath,
      options,
    })),
    spec: specFromProto(message.OCI),
  };
}
