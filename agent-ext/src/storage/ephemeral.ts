import { chmod, chown, stat } from 'node:fs/promises';
import { AgentError } from '../errors.ts';
import { mountAt, undoable } from './mount-at.ts';
import { atPlace, openBelow } from './safe-path.ts';
import type { StorageDriver } from './storage.ts';

const FSGID = 'fsgid=';
/** The last of 32 bits means "leave it as it is". */
const MOST_GROUP = 0xffff_fffe;

/** Memory-backed volumes: tmpfs (emptyDir, shm) and hugetlbfs. `fsgid=` is Kata's, not the file system's. */
export const ephemeral: StorageDriver = {
  names: ['ephemeral'],
  mount: async (context, { source, fstype, mountPoint, options }) => {
    if (fstype !== 'tmpfs' && fstype !== 'hugetlbfs') {
      throw new AgentError('INVALID_ARGUMENT', `ephemeral storage of type "${fstype}": expected tmpfs or hugetlbfs`);
    }
    const group = groupOf(options);
    await mountAt(context, { source: source || fstype, fstype, mountPoint, options: withoutGroup(options) });
    return undoable(context, mountPoint, async () => {
      if (group !== undefined) await atPlace(openBelow(context.base, mountPoint), (place) => giveToGroup(place, group));
    });
  },
};

/** The options that the file system itself takes. */
export function withoutGroup(options: readonly string[]): string[] {
  return options.filter((option) => !option.startsWith(FSGID));
}

function groupOf(options: readonly string[]): number | undefined {
  const text = options.find((option) => option.startsWith(FSGID))?.slice(FSGID.length);
  if (text === undefined) return undefined;
  if (/^\d{1,10}$/.test(text) && Number(text) <= MOST_GROUP) return Number(text);
  throw new AgentError('INVALID_ARGUMENT', `invalid fsgid "${text}": expected a number up to ${MOST_GROUP}`);
}

/** New files get the group too: the set-group-ID bit. */
async function giveToGroup(directory: string, group: number): Promise<void> {
  await chown(directory, -1, group);
  await chmod(directory, ((await stat(directory)).mode & 0o7777) | 0o2070);
}
