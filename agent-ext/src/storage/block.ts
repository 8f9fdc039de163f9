import { locateNode } from '@kata-mock/devices';
import { AgentError } from '../errors.ts';
import { mountAt } from './mount-at.ts';
import type { StorageDriver } from './storage.ts';

/** A file system on a block device, by PCI path (blk), SCSI address (scsi) or node (mmioblk, nvdimm). */
export const block: StorageDriver = {
  names: ['blk', 'scsi', 'mmioblk', 'nvdimm'],
  mount: async (context, { driver, source, fstype, mountPoint, options }) => {
    if (!/^[a-z0-9_]{1,16}$/.test(fstype))
      throw new AgentError('INVALID_ARGUMENT', `invalid file system type "${fstype}"`);
    const isNode = source.startsWith('/dev/');
    const type = isNode ? 'mmioblk' : driver;
    const request = { type, id: source, vmPath: isNode ? source : '', containerPath: mountPoint, options: [] };
    const { path } = await locateNode(context.guest, request, { hotplugTimeoutMs: context.hotplugTimeoutMs });
    return mountAt(context, { source: path, fstype, mountPoint, options });
  },
};
