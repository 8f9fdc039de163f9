import { statfsSync } from 'node:fs';
import { VolumeUsage_Unit } from '@kata-mock/contracts';
import { mountinfo } from '@kata-mock/posix';
import { AgentError } from '../../errors.ts';
import { mustRun } from '../../run-program.ts';
import { checkBelow } from '../../storage/safe-path.ts';
import type { Method } from '../method.ts';

export const getVolumeStats: Method<'getVolumeStats'> =
  (agent) =>
  ({ volumeGuestPath }) => {
    checkBelow(agent.paths.base, volumeGuestPath, 'volume path');
    const { blocks, bfree, bavail, bsize, files, ffree } = statfsSync(volumeGuestPath, { bigint: true });
    return {
      usage: [
        {
          unit: VolumeUsage_Unit.BYTES,
          total: blocks * bsize,
          available: bavail * bsize,
          used: (blocks - bfree) * bsize,
        },
        { unit: VolumeUsage_Unit.INODES, total: files, available: ffree, used: files - ffree },
      ],
      volumeCondition: { abnormal: false, message: '' },
    };
  };

const GROW: Readonly<Record<string, (device: string, mountPoint: string) => [string, string[]]>> = {
  ext2: (device) => ['resize2fs', [device]],
  ext3: (device) => ['resize2fs', [device]],
  ext4: (device) => ['resize2fs', [device]],
  xfs: (_, mountPoint) => ['xfs_growfs', [mountPoint]],
};

/** Lets the file system use a device that has grown. Needs that file system's tool in the guest. */
export const resizeVolume: Method<'resizeVolume'> =
  (agent) =>
  async ({ volumeGuestPath }) => {
    checkBelow(agent.paths.base, volumeGuestPath, 'volume path');
    const mount = mountinfo().findLast((entry) => entry.mountPoint === volumeGuestPath);
    if (!mount) throw new AgentError('NOT_FOUND', `nothing is mounted at "${volumeGuestPath}"`);
    const grow = GROW[mount.fstype];
    if (!grow) throw new AgentError('UNIMPLEMENTED', `cannot grow a file system of type ${mount.fstype}`);
    await mustRun(agent.reaper, ...grow(mount.source, mount.mountPoint));
    return {};
  };
