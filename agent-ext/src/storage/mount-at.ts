import { closeSync } from 'node:fs';
import { MNT_DETACH, mount, UMOUNT_NOFOLLOW, umount2 } from '@kata-mock/posix';
import { parseMountOptions } from './mount-options.ts';
import { openDirectoryBelow } from './safe-path.ts';
import type { StorageContext, Unmount } from './storage.ts';

export interface MountRequest {
  readonly source: string;
  readonly fstype: string;
  readonly mountPoint: string;
  readonly options: readonly string[];
}

/** Mounts at a directory below the base, which is made when missing and reached without following links. */
export function mountAt(context: StorageContext, request: MountRequest): Unmount {
  const { flags, data } = parseMountOptions(request.options);
  const fd = openDirectoryBelow(context.base, request.mountPoint);
  try {
    mount(request.source, `/proc/self/fd/${fd}`, request.fstype, flags, data);
  } finally {
    closeSync(fd);
  }
  return () => detach(request.mountPoint);
}

/** Takes a mount away, now for new users and at all when its last user is gone. */
export function detach(mountPoint: string): void {
  umount2(mountPoint, MNT_DETACH | UMOUNT_NOFOLLOW);
}
