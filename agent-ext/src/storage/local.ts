import { chmod } from 'node:fs/promises';
import { AgentError } from '../errors.ts';
import { atPlace, openDirectoryBelow } from './safe-path.ts';
import type { StorageDriver } from './storage.ts';

const MODE = 'mode=';

/** A directory of the guest: emptyDir on disk. It goes with the tree it is in. */
export const local: StorageDriver = {
  names: ['local'],
  mount: async ({ base }, { mountPoint, options }) => {
    const text = options.find((option) => option.startsWith(MODE))?.slice(MODE.length) ?? '0755';
    if (!/^[0-7]{1,4}$/.test(text)) throw new AgentError('INVALID_ARGUMENT', `invalid mode "${text}": expected octal`);
    await atPlace(openDirectoryBelow(base, mountPoint), (place) => chmod(place, Number.parseInt(text, 8)));
    return undefined;
  },
};
