import { stat } from 'node:fs/promises';
import path from 'node:path';
import { mountinfo } from '@kata-mock/posix';
import { detach } from '../../storage/mount-at.ts';
import type { Method } from '../method.ts';

/**
 * Asks for every mount below the shared directory, which makes guest and file server let go of what the host has removed:
 * the host cannot unmount it before. Mounts that only give errors are taken away.
 */
export const removeStaleVirtiofsShareMounts: Method<'removeStaleVirtiofsShareMounts'> = (agent) => async () => {
  const shared = `${path.join(agent.paths.base, 'shared/containers')}/`;
  const below = mountinfo().filter(({ mountPoint }) => mountPoint.startsWith(shared));
  // Newest first: one may be mounted in another.
  for (const { mountPoint } of below.reverse()) {
    const problem = await stat(mountPoint).then(
      () => undefined,
      (error: NodeJS.ErrnoException) => error,
    );
    if (!problem) continue;
    // The kernel takes a mount away with its directory.
    if (problem.code !== 'ENOENT') await detach(agent.paths, mountPoint);
    agent.log.info({ mountPoint, err: problem }, 'stale mount removed');
  }
  return {};
};
