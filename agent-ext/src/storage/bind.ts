import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import path from 'node:path';
import { MS_BIND, MS_REC, MS_REMOUNT, mountAsync } from '@kata-mock/posix';
import { AgentError } from '../errors.ts';
import { propagate, undoable } from './mount-at.ts';
import { parseMountOptions } from './mount-options.ts';
import { atPlace, checkBelow, openBelow, openDirectoryBelow } from './safe-path.ts';
import type { StorageContext, StorageDriver, Unmount } from './storage.ts';

export interface BindRequest {
  readonly source: string;
  readonly mountPoint: string;
  readonly options: readonly string[];
}

/** A part of the shared tree, directory or file, at a second place; with `rbind` what is mounted in it as well. */
export const bind: StorageDriver = { names: ['bind'], mount: bindAt };

export async function bindAt(context: StorageContext, { source, mountPoint, options }: BindRequest): Promise<Unmount> {
  const { base } = context;
  checkBelow(base, source, 'bind source');
  if (`${mountPoint}/`.startsWith(`${source}/`) || `${source}/`.startsWith(`${mountPoint}/`)) {
    throw new AgentError('INVALID_ARGUMENT', `cannot bind "${source}" on "${mountPoint}": one contains the other`);
  }
  const { flags, propagation } = parseMountOptions(options);
  const how = MS_BIND | (flags & MS_REC);
  // By descriptor: a link on the way to the source could lead to anything of the guest.
  await atPlace(openBelow(base, source), async (place) => {
    const isDirectory = (await stat(place)).isDirectory();
    const target = isDirectory ? openDirectoryBelow(base, mountPoint) : openFileBelow(base, mountPoint);
    await atPlace(target, (at) => mountAsync(place, at, '', how));
  });
  return undoable(context, mountPoint, async () => {
    // The first mount of a bind ignores flags such as ro.
    const own = flags & ~(MS_BIND | MS_REC | MS_REMOUNT);
    if (own !== 0) {
      await atPlace(openBelow(base, mountPoint), (at) => mountAsync('', at, '', MS_REMOUNT | MS_BIND | own));
    }
    await propagate(context, mountPoint, propagation);
  });
}

/** A file is bound on a file, which is made when missing. */
async function openFileBelow(base: string, file: string): Promise<number> {
  await atPlace(openDirectoryBelow(base, path.dirname(file)), async (parent) => {
    const flags = constants.O_RDONLY | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    await (await open(`${parent}/${path.basename(file)}`, flags, 0o600)).close();
  });
  return openBelow(base, file);
}
