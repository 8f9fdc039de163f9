import path from 'node:path';
import { PciError, parseDeviceTreePath, readNamesIfAny } from '@kata-mock/pci';
import { DeviceError } from '../errors.ts';
import { waitFor } from '../guest/wait.ts';
import type { DeviceRequest } from '../request.ts';
import { findFunction } from './find-function.ts';
import { handlerFor } from './handler.ts';

/** A virtio block device by its place on the PCI bus. */
export const blk = handlerFor(['blk'], async (context, device) => {
  checkPath(device);
  const { address, devpath } = await findFunction(context, device.id);
  const options = { timeoutMs: context.hotplugTimeoutMs, signal: context.signal };
  const name = await waitFor(context.guest, () => blockBelow(context.guest.sysfs, devpath), options);
  if (name === undefined) {
    throw new DeviceError('DEVICE_NOT_FOUND', `${address} (path "${device.id}") has no virtio block device below it`);
  }
  return { guestSteps: [], node: { kind: 'path', path: `/dev/${name}` }, addresses: [] };
});

/** Before any waiting: a path that is none stays none. */
function checkPath({ id, containerPath }: DeviceRequest): void {
  try {
    parseDeviceTreePath(id);
  } catch (cause) {
    if (!(cause instanceof PciError)) throw cause;
    throw new DeviceError('INVALID_REQUEST', `invalid id of block device ${containerPath}: ${cause.message}`, {
      cause,
    });
  }
}

function blockBelow(sysfs: string, devpath: string): string | undefined {
  const directory = path.join(sysfs, devpath);
  for (const name of readNamesIfAny(directory)) {
    if (!/^virtio\d+$/.test(name)) continue;
    const block = readNamesIfAny(path.join(directory, name, 'block'))[0];
    if (block !== undefined) return block;
  }
  return undefined;
}
