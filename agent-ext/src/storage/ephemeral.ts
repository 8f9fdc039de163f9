import { chmodSync, chownSync, statSync } from 'node:fs';
import { AgentError } from '../errors.ts';
import { mountAt } from './mount-at.ts';
import type { StorageDriver } from './storage.ts';

const FSGID = 'fsgid=';

/** Memory-backed volumes: tmpfs (emptyDir, shm) and hugetlbfs. `fsgid=` is Kata's, not the file system's. */
export const ephemeral: StorageDriver = {
  names: ['ephemeral'],
  mount: (context, { source, fstype, mountPoint, options }) => {
    if (fstype !== 'tmpfs' && fstype !== 'hugetlbfs') {
      throw new AgentError('INVALID_ARGUMENT', `ephemeral storage of type "${fstype}": expected tmpfs or hugetlbfs`);
    }
    const own = options.filter((option) => !option.startsWith(FSGID));
    const undo = mountAt(context, { source: source || fstype, fstype, mountPoint, options: own });
    const group = options.find((option) => option.startsWith(FSGID))?.slice(FSGID.length);
    if (group !== undefined) giveToGroup(mountPoint, group);
    return undo;
  },
};

/** New files get the group too: the set-group-ID bit. */
function giveToGroup(directory: string, group: string): void {
  if (!/^\d{1,10}$/.test(group))
    throw new AgentError('INVALID_ARGUMENT', `invalid fsgid "${group}": expected a number`);
  chownSync(directory, -1, Number(group));
  chmodSync(directory, (statSync(directory).mode & 0o7777) | 0o2070);
}
