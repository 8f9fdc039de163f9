import path from 'node:path';
import { linkName } from '@kata-mock/pci';
import { DeviceError } from '../errors.ts';
import { type HandlerContext, handlerFor } from './handler.ts';
import { addressesOf, type PassedFunction, passedFunctions } from './vfio-functions.ts';

/** A passed-through function that the container drives itself: bound to vfio-pci, node of its IOMMU group. */
export const vfioPci = handlerFor(['vfio-pci'], async (context, device) => {
  const functions = await passedFunctions(context, device);
  if (functions.length === 0) {
    const message = `device ${device.containerPath} of type vfio-pci names no PCI function in its options`;
    throw new DeviceError('INVALID_REQUEST', message);
  }
  const nodePath = `/dev/vfio/${sharedGroup(context, functions)}`;
  return {
    guestSteps: functions.map(({ address, devpath }) => ({
      kind: 'bind-driver' as const,
      address,
      devpath,
      driver: 'vfio-pci',
    })),
    node: { kind: 'path', path: nodePath },
    newPath: nodePath,
    addresses: addressesOf(functions),
  };
});

/** All functions of one Device message are one VFIO group on the host, so they must be one in the guest. */
function sharedGroup({ guest }: HandlerContext, functions: readonly PassedFunction[]): string {
  let shared: string | undefined;
  for (const { address, devpath } of functions) {
    const group = linkName(path.join(guest.sysfs, devpath), 'iommu_group');
    if (group === undefined) throw new DeviceError('IOMMU_GROUP', `${address} has no IOMMU group`);
    shared ??= group;
    if (group !== shared) {
      throw new DeviceError('IOMMU_GROUP', `${address} is not in guest IOMMU group ${shared} (it is in ${group})`);
    }
  }
  return shared as string;
}
