import { constants } from 'node:fs';
import { chmod, chown, type FileHandle, open, stat } from 'node:fs/promises';
import { type FSGroup, FSGroupChangePolicy } from '@kata-mock/contracts';
import { startWorker, workerUrl } from '@kata-mock/posix';
import { AgentError } from '../errors.ts';
import type { Give } from './fs-group.worker.ts';
import { atPlace, openBelow } from './safe-path.ts';

const SETGID = 0o2000;

/** Gives a volume to a pod's fsGroup: files rw for the group, directories rwx with the group inherited. Links stay. */
export async function applyFsGroup(base: string, mountPoint: string, fsGroup: FSGroup): Promise<void> {
  const root = await atPlace(openBelow(base, mountPoint), async (place) => {
    const found = await stat(place);
    if (found.isDirectory()) return open(place, constants.O_DIRECTORY);
    await chown(place, found.uid, fsGroup.groupId);
    await chmod(place, (found.mode & 0o7777) | 0o060);
    return undefined;
  });
  // A volume of one file.
  if (root === undefined) return;
  try {
    const { gid, mode } = await root.stat();
    const matches = gid === fsGroup.groupId && (mode & SETGID) !== 0;
    if (fsGroup.groupChangePolicy === FSGroupChangePolicy.OnRootMismatch && matches) return;
    await giveAll(root, fsGroup.groupId);
  } finally {
    await root.close();
  }
}

/** Three calls for every file: on a thread of its own that takes the least time, and nobody else's. */
function giveAll(root: FileHandle, group: number): Promise<void> {
  const worker = startWorker(workerUrl(import.meta.url, 'fs-group'), {
    workerData: { root: root.fd, group } satisfies Give,
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1, codeRangeSizeMb: 8 },
  });
  return new Promise((resolve, reject) => {
    worker.once('error', (error) => {
      const message = `cannot give the volume to group ${group}: ${error.message}`;
      reject(new AgentError('INTERNAL', message, { cause: error }));
    });
    worker.once('exit', () => resolve());
  });
}
