import { chmodSync, lchownSync, lstatSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { type FSGroup, FSGroupChangePolicy } from '@kata-mock/contracts';

const SETGID = 0o2000;

/** Gives a volume to a pod's fsGroup: files rw for the group, directories rwx with the group inherited. Links stay. */
export function applyFsGroup(mountPoint: string, { groupId, groupChangePolicy }: FSGroup): void {
  const root = lstatSync(mountPoint);
  const matches = root.gid === groupId && (root.mode & SETGID) !== 0;
  if (groupChangePolicy === FSGroupChangePolicy.OnRootMismatch && matches) return;
  give(mountPoint, groupId);
}

function give(file: string, group: number): void {
  const stat = lstatSync(file);
  lchownSync(file, -1, group);
  if (stat.isSymbolicLink()) return;
  chmodSync(file, (stat.mode & 0o7777) | (stat.isDirectory() ? SETGID | 0o070 : 0o060));
  if (stat.isDirectory()) for (const name of readdirSync(file)) give(path.join(file, name), group);
}
