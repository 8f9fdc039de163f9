import { DeviceError } from '../errors.ts';
import type { DeviceRequest } from '../request.ts';
import { blk } from './blk.ts';
import type { Handler } from './handler.ts';
import { mockAccel } from './mock-accel.ts';
import { s390x } from './s390x.ts';
import { scsi } from './scsi.ts';
import { vfioPci } from './vfio-pci.ts';
import { vfioPciGk } from './vfio-pci-gk.ts';
import { vmPath } from './vm-path.ts';

const handlers: readonly Handler[] = [mockAccel, vfioPciGk, vfioPci, blk, vmPath, scsi, s390x];

/** Device types this agent takes, for GetGuestDetails. */
export const deviceTypes: readonly string[] = handlers.flatMap((handler) => handler.types);

export function handlerOf(device: DeviceRequest): Handler {
  const handler = handlers.find((candidate) => candidate.matches(device));
  if (handler) return handler;
  const message = `Failed to find the device handler ${JSON.stringify(device.type)}; known types: ${deviceTypes.join(', ')}`;
  throw new DeviceError('UNKNOWN_TYPE', message);
}
