import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import path from 'node:path';
import { MS_BIND, MS_REMOUNT, mount } from '@kata-mock/posix';
import { AgentError } from '../errors.ts';
import { detach, mountAt } from './mount-at.ts';
import { parseMountOptions } from './mount-options.ts';
import { checkBelow, openBelow, openDirectoryBelow } from './safe-path.ts';
import type { StorageContext, StorageDriver, Unmount } from './storage.ts';

export interface BindRequest {
  readonly source: string;
  readonly mountPoint: string;
  readonly options: readonly string[];
}

/** A part of the shared tree, directory or file, at a second place. */
export const bind: StorageDriver = { names: ['bind'], mount: bindAt };

export function bindAt(context: StorageContext, { source, mountPoint, options }: BindRequest): Unmount {
  checkBelow(context.base, source, 'bind source');
  if (`${mountPoint}/`.startsWith(`${source}/`) || `${source}/`.startsWith(`${mountPoint}/`)) {
    throw new AgentError('INVALID_ARGUMENT', `cannot bind "${source}" on "${mountPoint}": one contains the other`);
  }
  // By descriptor: a link on the way to the source could lead to anything of the guest.
  const fd = openBelow(context.base, source);
  try {
    const place = `/proc/self/fd/${fd}`;
    if (fstatSync(fd).isDirectory()) mountAt(context, { source: place, fstype: 'bind', mountPoint, options: ['bind'] });
    else bindFile(context, place, mountPoint);
  } finally {
    closeSync(fd);
  }
  const { flags } = parseMountOptions(options);
  try {
    // The first mount of a bind ignores flags such as ro.
    if (flags & ~MS_BIND) mount('', mountPoint, '', MS_REMOUNT | MS_BIND | flags);
  } catch (error) {
    detach(mountPoint);
    throw error;
  }
  return () => detach(mountPoint);
}

/** A file is bound on a file, which is made when missing. */
function bindFile({ base }: StorageContext, source: string, mountPoint: string): void {
  const parent = openDirectoryBelow(base, path.dirname(mountPoint));
  try {
    const place = `/proc/self/fd/${parent}/${path.basename(mountPoint)}`;
    const flags = constants.O_RDONLY | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const fd = openSync(place, flags, 0o600);
    try {
      mount(source, `/proc/self/fd/${fd}`, '', MS_BIND);
    } finally {
      closeSync(fd);
    }
  } finally {
    closeSync(parent);
  }
}
