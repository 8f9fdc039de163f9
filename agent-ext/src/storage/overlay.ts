import { closeSync } from 'node:fs';
import { AgentError } from '../errors.ts';
import { mountAt } from './mount-at.ts';
import { checkBelow, openDirectoryBelow } from './safe-path.ts';
import type { StorageDriver } from './storage.ts';

const WRITABLE = ['upperdir', 'workdir'];

/** Layers of an image. Every layer must be below the base; upper and work directories are made. */
export const overlay: StorageDriver = {
  names: ['overlayfs'],
  mount: (context, { mountPoint, options }) => {
    const layers: string[] = [mountPoint];
    for (const option of options) {
      const [key = '', value = ''] = option.split('=', 2);
      if (key !== 'lowerdir' && !WRITABLE.includes(key)) continue;
      for (const directory of value.split(':')) {
        checkBelow(context.base, directory, key);
        refuseNested(layers, directory);
        layers.push(directory);
      }
    }
    for (const option of options) {
      const [key = '', value = ''] = option.split('=', 2);
      if (WRITABLE.includes(key)) closeSync(openDirectoryBelow(context.base, value));
    }
    if (!options.some((option) => option.startsWith('lowerdir='))) {
      throw new AgentError('INVALID_ARGUMENT', `overlay for "${mountPoint}" has no lowerdir option`);
    }
    return mountAt(context, { source: 'overlay', fstype: 'overlay', mountPoint, options });
  },
};

/** Layers that contain each other make the kernel walk in circles, or refuse with an error that names nothing. */
function refuseNested(layers: readonly string[], directory: string): void {
  const other = layers.find(
    (layer) => `${layer}/`.startsWith(`${directory}/`) || `${directory}/`.startsWith(`${layer}/`),
  );
  if (other === undefined) return;
  throw new AgentError('INVALID_ARGUMENT', `overlay of "${directory}" and "${other}": one contains the other`);
}
