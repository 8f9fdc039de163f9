import { closeSync, fstatSync, openSync } from 'node:fs';
import { MS_BIND, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY, MS_REMOUNT, mount } from '@kata-mock/posix';
import { bindAt } from './bind.ts';
import { detach, mountAt } from './mount-at.ts';
import { checkBelow, openBelow } from './safe-path.ts';
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
  mount: (context, { source, mountPoint, options }) => {
    checkBelow(context.base, source, 'watched directory');
    const tree = scanDirectory(context, source);
    return tree ? copyAt(context, source, mountPoint, tree) : bindAt(context, { source, mountPoint, options });
  },
};

/** What is there; undefined for a file, and for a directory too large to copy. */
function scanDirectory({ base }: StorageContext, source: string): Tree | undefined {
  const fd = openBelow(base, source);
  try {
    return fstatSync(fd).isDirectory() ? scan(fd, START_LIMITS) : undefined;
  } finally {
    closeSync(fd);
  }
}

/** Containers get a read-only mount of the copy; the agent writes to it through the mount below, by a descriptor. */
function copyAt(context: StorageContext, source: string, mountPoint: string, tree: Tree): Unmount {
  const undo = [mountAt(context, { source: 'watched', fstype: 'tmpfs', mountPoint, options: [...TMPFS, ...SAFE] })];
  const unmount = () => {
    for (const step of undo.splice(0).reverse()) step();
  };
  try {
    const root = openSync(mountPoint, 'r');
    undo.push(() => closeSync(root));
    const stop = watch(() => openBelow(context.base, source), `/proc/self/fd/${root}`, tree, {
      intervalMs: context.watchIntervalMs,
      warn: (problem) => context.warn?.(`the copy of ${source} stays as it is: ${problem}`),
    });
    undo.push(stop);
    mount(mountPoint, mountPoint, '', MS_BIND);
    undo.push(() => detach(mountPoint));
    mount('', mountPoint, '', MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC);
  } catch (error) {
    unmount();
    throw error;
  }
  return unmount;
}
