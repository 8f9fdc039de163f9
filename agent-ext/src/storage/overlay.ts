import { mkdirSync } from 'node:fs';
import { AgentError } from '../errors.ts';
import { mountAt } from './mount-at.ts';
import { checkBelow } from './safe-path.ts';
import type { StorageDriver } from './storage.ts';

const WRITABLE = ['upperdir', 'workdir'];

/** Layers of an image. Every layer must be below the base; upper and work directories are made. */
export const overlay: StorageDriver = {
  names: ['overlayfs'],
  mount: (context, { mountPoint, options }) => {
    for (const option of options) {
      const [key = '', value = ''] = option.split('=', 2);
      if (key !== 'lowerdir' && !WRITABLE.includes(key)) continue;
      for (const directory of value.split(':')) checkBelow(context.base, directory, key);
      if (WRITABLE.includes(key)) mkdirSync(value, { recursive: true });
    }
    if (!options.some((option) => option.startsWith('lowerdir='))) {
      throw new AgentError('INVALID_ARGUMENT', `overlay for "${mountPoint}" has no lowerdir option`);
    }
    return mountAt(context, { source: 'overlay', fstype: 'overlay', mountPoint, options });
  },
};
