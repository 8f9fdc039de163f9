import { locateNode } from '@kata-mock/devices';
import { AgentError } from '../errors.ts';
import { mountAt } from './mount-at.ts';
import type { StorageDriver } from './storage.ts';

/** Others would not look at the device: an overlay's layers are in its options, anywhere in the guest. */
const ON_A_DISK = [
  'ext2',
  'ext3',
  'ext4',
  'xfs',
  'btrfs',
  'erofs',
  'squashfs',
  'vfat',
  'exfat',
  'iso9660',
  'f2fs',
  'ntfs3',
];

/** A file system on a block device, by PCI path (blk), SCSI address (scsi) or node (mmioblk, nvdimm). */
export const block: StorageDriver = {
  names: ['blk', 'scsi', 'mmioblk', 'nvdimm'],
  mount: async (context, { driver, source, fstype, mountPoint, options }) => {
    if (!ON_A_DISK.includes(fstype)) {
      const message = `cannot mount a block device as "${fstype}": expected one of ${ON_A_DISK.join(', ')}`;
      throw new AgentError('INVALID_ARGUMENT', message);
    }
    const isNode = source.startsWith('/dev/');
    const type = isNode ? 'mmioblk' : driver;
    const request = { type, id: source, vmPath: isNode ? source : '', containerPath: mountPoint, options: [] };
    const { path } = await locateNode(context.guest, request, { hotplugTimeoutMs: context.hotplugTimeoutMs });
    return mountAt(context, { source: path, fstype, mountPoint, options });
  },
};
