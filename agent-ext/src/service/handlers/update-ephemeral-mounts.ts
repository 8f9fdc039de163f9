import { MS_REMOUNT, mount } from '@kata-mock/posix';
import { AgentError } from '../../errors.ts';
import { parseMountOptions } from '../../storage/mount-options.ts';
import { checkBelow } from '../../storage/safe-path.ts';
import type { Method } from '../method.ts';

/** Gives memory-backed volumes their new size after the sandbox's memory changed. */
export const updateEphemeralMounts: Method<'updateEphemeralMounts'> =
  (agent) =>
  ({ storages }) => {
    for (const { driver, source, mountPoint, options } of storages) {
      if (driver !== 'ephemeral') {
        throw new AgentError(
          'INVALID_ARGUMENT',
          `cannot update storage of driver "${driver}": only ephemeral ones change`,
        );
      }
      checkBelow(agent.paths.base, mountPoint, 'mount point');
      const { flags, data } = parseMountOptions(options.filter((option) => !option.startsWith('fsgid=')));
      mount(source, mountPoint, 'tmpfs', flags | MS_REMOUNT, data);
    }
    return {};
  };
