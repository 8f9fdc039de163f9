import { mountAt } from './mount-at.ts';
import type { StorageDriver } from './storage.ts';

/** The directory shared by the host: container roots, file mounts. `source` is the tag of the device. */
export const virtioFs: StorageDriver = {
  names: ['virtio-fs'],
  mount: (context, { source, mountPoint, options }) =>
    mountAt(context, { source, fstype: 'virtiofs', mountPoint, options }),
};
