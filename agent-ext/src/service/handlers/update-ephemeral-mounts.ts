import type { Storage } from '@kata-mock/contracts';
import { type MountInfo, MS_REMOUNT, mountAsync, mountinfo } from '@kata-mock/posix';
import type { Agent } from '../../agent.ts';
import { AgentError } from '../../errors.ts';
import { withoutGroup } from '../../storage/ephemeral.ts';
import { parseMountOptions } from '../../storage/mount-options.ts';
import { atPlace, openBelow } from '../../storage/safe-path.ts';
import { UndoStack } from '../../undo.ts';
import type { Method } from '../method.ts';

/**
 * Gives memory-backed volumes their new size after the sandbox's memory changed. Only what a storage was mounted at can be
 * changed; flags of the mount that no option names stay, and when one volume cannot be changed, none is.
 */
export const updateEphemeralMounts: Method<'updateEphemeralMounts'> =
  (agent) =>
  async ({ storages }) => {
    const present = mountinfo();
    // Shims send a storage without options when there is nothing to change.
    const changes = storages.map((storage) => changeOf(agent, storage, present)).filter(({ data }) => data !== '');
    const undo = new UndoStack();
    try {
      for (const { mountPoint, flags, data, before } of changes) {
        const remount = (text: string) =>
          atPlace(openBelow(agent.paths.base, mountPoint), (place) =>
            mountAsync('', place, '', flags | MS_REMOUNT, text),
          );
        await remount(data);
        undo.add(mountPoint, () => remount(before));
      }
    } catch (error) {
      await undo.run((storage, err) => agent.log.warn({ storage, err }, 'cannot give the old size back'));
      throw error;
    }
    return {};
  };

interface Change {
  readonly mountPoint: string;
  readonly flags: number;
  readonly data: string;
  /** The size it has now, as an option. */
  readonly before: string;
}

function changeOf(agent: Agent, storage: Storage, present: readonly MountInfo[]): Change {
  if (storage.driver !== 'ephemeral') {
    throw new AgentError(
      'INVALID_ARGUMENT',
      `cannot update storage of driver "${storage.driver}": only ephemeral ones change`,
    );
  }
  const known = agent.storages.find(storage);
  const mount = present.findLast(({ mountPoint }) => mountPoint === known?.mountPoint);
  if (known?.driver !== 'ephemeral' || !mount) {
    throw new AgentError('NOT_FOUND', `cannot update "${storage.mountPoint}": no ephemeral storage is mounted there`);
  }
  const { flags, data } = parseMountOptions(withoutGroup(storage.options), parseMountOptions(mount.options).flags);
  const before = mount.superOptions.filter((option) => /^(?:size|nr_inodes)=/.test(option)).join(',');
  // tmpfs tells no size when it has its own: half of the memory.
  return { mountPoint: known.mountPoint, flags, data, before: before || 'size=50%' };
}
