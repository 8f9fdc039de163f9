import { statfs } from 'node:fs/promises';
import { VolumeUsage_Unit } from '@kata-mock/contracts';
import { mountinfo } from '@kata-mock/posix';
import { AgentError } from '../../errors.ts';
import { mustRun } from '../../run-program.ts';
import { growExt } from '../../storage/grow-ext.ts';
import { atPlace, checkBelow, openBelow } from '../../storage/safe-path.ts';
import type { Method } from '../method.ts';

export const getVolumeStats: Method<'getVolumeStats'> =
  (agent) =>
  async ({ volumeGuestPath }) => {
    checkBelow(agent.paths.base, volumeGuestPath, 'volume path');
    const opening = openBelow(agent.paths.base, volumeGuestPath);
    const { blocks, bfree, bavail, bsize, files, ffree } = await atPlace(opening, (place) =>
      statfs(place, { bigint: true }),
    );
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
      volumeCondition: { abnormal: false, message: 'OK' },
    };
  };

/** Lets the file system of a volume use a device that has grown: to `size` bytes, or all of it when that is 0. */
export const resizeVolume: Method<'resizeVolume'> =
  (agent) =>
  async ({ volumeGuestPath, size }) => {
    checkBelow(agent.paths.base, volumeGuestPath, 'volume path');
    const mount = mountinfo().findLast((entry) => entry.mountPoint === volumeGuestPath);
    if (!mount) throw new AgentError('NOT_FOUND', `nothing is mounted at "${volumeGuestPath}"`);
    // The kernel itself grows these; xfs wants its own tool.
    if (/^ext[234]$/.test(mount.fstype)) await growExt(agent.guest, agent.paths.base, mount, size);
    else if (mount.fstype === 'xfs') await mustRun(agent.reaper, 'xfs_growfs', [mount.mountPoint]);
    else
      throw new AgentError(
        'UNIMPLEMENTED',
        `cannot grow a file system of type ${mount.fstype}: ext2 to ext4 and xfs grow`,
      );
    return {};
  };
