import { statSync } from 'node:fs';
import path from 'node:path';
import { mountinfo } from '@kata-mock/posix';
import { detach } from '../../storage/mount-at.ts';
import type { Method } from '../method.ts';

/** Takes away mounts below the shared directory whose source the host has removed: they only give errors. */
export const removeStaleVirtiofsShareMounts: Method<'removeStaleVirtiofsShareMounts'> = (agent) => () => {
  const shared = `${path.join(agent.paths.base, 'shared/containers')}/`;
  for (const { mountPoint } of mountinfo().filter((entry) => entry.mountPoint.startsWith(shared))) {
    try {
      statSync(mountPoint);
    } catch {
      detach(mountPoint);
      agent.log.info({ mountPoint }, 'stale mount removed');
    }
  }
  return {};
};
