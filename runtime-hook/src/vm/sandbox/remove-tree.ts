import { lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { MNT_DETACH, mountinfo, UMOUNT_NOFOLLOW, umount2 } from '@kata-mock/posix';
import { KataMockError } from '../../errors.ts';

/**
 * Removes a directory of ours and never anything mounted into it: mounts are detached first, what is still mounted
 * stops the removal, and no other file system is entered.
 */
export function removeTree(dir: string): void {
  const root = lstatSync(dir, { throwIfNoEntry: false });
  if (!root) return;
  for (const mountPoint of mountPointsBelow(dir).reverse()) umount2(mountPoint, MNT_DETACH | UMOUNT_NOFOLLOW);
  const left = mountPointsBelow(dir);
  if (left.length > 0) {
    throw new KataMockError('HOST', `${dir} is not removed: ${left[0]} is still mounted`, {
      hint: `umount ${left[0]}`,
    });
  }
  remove(dir, root.dev);
}

/** In the order they were mounted; a later one may lie on an earlier one. */
function mountPointsBelow(dir: string): string[] {
  return mountinfo()
    .map((mount) => mount.mountPoint)
    .filter((mountPoint) => mountPoint === dir || mountPoint.startsWith(`${dir}/`));
}

function remove(file: string, device: number): void {
  const stat = lstatSync(file);
  if (stat.dev !== device) throw new KataMockError('HOST', `${file} is on another file system; it is left alone`);
  if (!stat.isDirectory()) {
    unlinkSync(file);
    return;
  }
  for (const name of readdirSync(file)) remove(path.join(file, name), device);
  rmdirSync(file);
}
