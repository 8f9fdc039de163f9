import { MS_BIND, MS_REMOUNT, mount } from '@kata-mock/posix';
import { AgentError } from '../errors.ts';
import { detach, mountAt } from './mount-at.ts';
import { parseMountOptions } from './mount-options.ts';
import { checkBelow } from './safe-path.ts';
import type { StorageDriver } from './storage.ts';

/**
 * A part of the shared tree at a second place. `watchable-bind` is Kata's name for config maps and secrets: its agent
 * polls and copies them so that inotify works; a bind shows every change at once but gives no events for the host's.
 */
export const bind: StorageDriver = {
  names: ['bind', 'watchable-bind'],
  mount: (context, { source, mountPoint, options }) => {
    checkBelow(context.base, source, 'bind source');
    if (`${mountPoint}/`.startsWith(`${source}/`) || `${source}/`.startsWith(`${mountPoint}/`)) {
      throw new AgentError('INVALID_ARGUMENT', `cannot bind "${source}" on "${mountPoint}": one contains the other`);
    }
    const undo = mountAt(context, { source, fstype: 'bind', mountPoint, options: ['bind'] });
    const { flags } = parseMountOptions(options);
    try {
      // The first mount of a bind ignores flags such as ro.
      if (flags & ~MS_BIND) mount('', mountPoint, '', MS_REMOUNT | MS_BIND | flags);
    } catch (error) {
      detach(mountPoint);
      throw error;
    }
    return undo;
  },
};
