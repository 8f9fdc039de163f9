import path from 'node:path';
import {
  MNT_DETACH,
  MS_BIND,
  MS_REC,
  MS_REMOUNT,
  mountAsync,
  PosixError,
  UMOUNT_NOFOLLOW,
  umount2Async,
} from '@kata-mock/posix';
import { parseMountOptions } from './mount-options.ts';
import { atPlace, openBelow, openDirectoryBelow } from './safe-path.ts';
import type { StorageContext, Unmount } from './storage.ts';

export interface MountRequest {
  readonly source: string;
  readonly fstype: string;
  readonly mountPoint: string;
  readonly options: readonly string[];
}

/** Words of a volume that say how it gets into the container; here `source` would become a path of the guest by them. */
const NOT_OF_A_NEW_MOUNT = MS_BIND | MS_REC | MS_REMOUNT;

/** Mounts at a directory below the base, which is made when missing and reached without following links. */
export async function mountAt(context: StorageContext, request: MountRequest): Promise<Unmount> {
  const { source, fstype, mountPoint } = request;
  const { flags, data, propagation } = parseMountOptions(request.options);
  await atPlace(openDirectoryBelow(context.base, mountPoint), (place) =>
    mountAsync(source, place, fstype, flags & ~NOT_OF_A_NEW_MOUNT, data),
  );
  return undoable(context, mountPoint, () => propagate(context, mountPoint, propagation));
}

/** How to undo a mount that was made; undone already when one more step of it fails. */
export async function undoable(
  context: StorageContext,
  mountPoint: string,
  step: () => Promise<void>,
): Promise<Unmount> {
  const undo = () => detach(context, mountPoint);
  try {
    await step();
  } catch (error) {
    await undo();
    throw error;
  }
  return undo;
}

/** Whether what is mounted there later is seen elsewhere: a call of its own for the kernel. 0 leaves it. */
export async function propagate({ base }: StorageContext, mountPoint: string, propagation: number): Promise<void> {
  if (propagation !== 0) await atPlace(openBelow(base, mountPoint), (place) => mountAsync('', place, '', propagation));
}

/** Takes a mount away, now for new users and at all when its last user is gone. One that has gone already is fine. */
export async function detach({ base }: Pick<StorageContext, 'base'>, mountPoint: string): Promise<void> {
  try {
    await atPlace(openBelow(base, path.dirname(mountPoint)), (place) =>
      umount2Async(`${place}/${path.basename(mountPoint)}`, MNT_DETACH | UMOUNT_NOFOLLOW),
    );
  } catch (error) {
    // RemoveStaleVirtiofsShareMounts takes some away before their last user.
    if (!(error instanceof PosixError) || error.code !== 'EINVAL') throw error;
  }
}
