import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { MS_BIND, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY, MS_REMOUNT, mountAsync } from '@kata-mock/posix';
import { bindAt } from './bind.ts';
import { detach, mountAt } from './mount-at.ts';
import { atPlace, checkBelow, openBelow, placeOf } from './safe-path.ts';
import type { StorageContext, StorageDriver, Unmount } from './storage.ts';
import { scan, type Tree } from './watchable/scan.ts';
import { START_LIMITS, watch } from './watchable/watch.ts';

/** Room for two versions of the largest directory and for the file that is being written. */
const TMPFS = ['mode=0755', 'size=4m', 'nr_inodes=128'];
const SAFE = ['nosuid', 'nodev', 'noexec'];

/**
 * Config maps, secrets and their like. A shared file system gives no inotify events for what the host changes, so a
 * small directory is copied to memory and kept the same; a large one, or a single file, is bound as it is.
 */
export const watchable: StorageDriver = {
  names: ['watchable-bind'],
  mount: async (context, { source, mountPoint, options }) => {
    checkBelow(context.base, source, 'watched directory');
    const tree = await scanDirectory(context, source);
    return tree ? copyAt(context, source, mountPoint, tree) : bindAt(context, { source, mountPoint, options });
  },
};

/** What is there; undefined for a file, and for a directory too large to copy. */
function scanDirectory({ base }: StorageContext, source: string): Promise<Tree | undefined> {
  return atPlace(openBelow(base, source), async (place, fd) =>
    (await stat(place)).isDirectory() ? scan(fd, START_LIMITS) : undefined,
  );
}

/** Containers get a read-only mount of the copy; the agent writes to it through the mount below, by a descriptor. */
async function copyAt(context: StorageContext, source: string, mountPoint: string, tree: Tree): Promise<Unmount> {
  const { base } = context;
  const undo = [
    await mountAt(context, { source: 'watched', fstype: 'tmpfs', mountPoint, options: [...TMPFS, ...SAFE] }),
  ];
  const unmount = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const root = await atPlace(openBelow(base, mountPoint), (place) => open(place, constants.O_DIRECTORY));
    let stop = async () => {};
    // A look at a host that does not answer keeps the copy open and nobody waiting.
    undo.push(async () => void stop().finally(() => root.close()));
    stop = await watch(() => openBelow(base, source), placeOf(root.fd), tree, {
      intervalMs: context.watchIntervalMs,
      warn: (problem) => context.warn?.(`the copy of ${source} stays as it is: ${problem}`),
    });
    await atPlace(openBelow(base, mountPoint), (place) => mountAsync(place, place, '', MS_BIND));
    undo.push(() => detach(context, mountPoint));
    const flags = MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
    await atPlace(openBelow(base, mountPoint), (place) => mountAsync('', place, '', flags));
  } catch (error) {
    await unmount();
    throw error;
  }
  return unmount;
}
