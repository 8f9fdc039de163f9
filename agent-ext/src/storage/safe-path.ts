import { closeSync, constants, openSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import path from 'node:path';
import {
  O_CLOEXEC,
  O_PATH,
  type Openat2Options,
  openat2Async,
  PosixError,
  RESOLVE_BENEATH,
  RESOLVE_NO_SYMLINKS,
} from '@kata-mock/posix';
import { AgentError } from '../errors.ts';

/** Refuses what is no plain absolute path strictly below `base`: `..`, `//`, NUL, another place. */
export function checkBelow(base: string, file: string, what: string): void {
  const isPlain =
    path.isAbsolute(file) &&
    !file.includes('\0') &&
    path.normalize(file).replace(/\/$/, '') === file.replace(/\/$/, '');
  if (isPlain && file.startsWith(`${base}/`) && file.length > base.length + 1) return;
  throw new AgentError(
    'INVALID_ARGUMENT',
    `invalid ${what} ${JSON.stringify(file)}: expected a plain path below ${base}/`,
  );
}

/**
 * Opens a directory below `base` without following any link on the way, since containers can write parts of the tree.
 * Missing directories are made, with `mode` to the bit when it is given. The caller closes the descriptor, which is for
 * {@link placeOf} only.
 */
export async function openDirectoryBelow(base: string, directory: string, mode?: number): Promise<number> {
  const elements = path.relative(base, directory).split('/').filter(Boolean);
  let fd = openSync(base, O_PATH | constants.O_DIRECTORY | O_CLOEXEC);
  for (const element of elements) {
    try {
      const next = await openElement(fd, element, mode);
      closeSync(fd);
      fd = next;
    } catch (error) {
      closeSync(fd);
      throw refuseLinks(error, directory);
    }
  }
  return fd;
}

/**
 * Opens what is there below `base`, without following any link on the way and without making anything. The caller
 * closes the descriptor, which is for {@link placeOf} only.
 */
export async function openBelow(base: string, file: string): Promise<number> {
  const root = openSync(base, O_PATH | constants.O_DIRECTORY | O_CLOEXEC);
  try {
    const resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
    return await openat2Async(root, path.relative(base, file) || '.', { flags: O_PATH | O_CLOEXEC, resolve });
  } catch (error) {
    if (!(error instanceof PosixError) || error.code !== 'ENOENT') throw refuseLinks(error, file);
    throw new AgentError('NOT_FOUND', `${JSON.stringify(file)} does not exist in the guest`, { cause: error });
  } finally {
    closeSync(root);
  }
}

/** A path of what a descriptor is open on, for calls that take paths. */
export function placeOf(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

/** Works on what {@link openBelow} or {@link openDirectoryBelow} opens, by a path that no link can lead elsewhere. */
export async function atPlace<T>(
  opening: Promise<number>,
  work: (place: string, fd: number) => T,
): Promise<Awaited<T>> {
  const fd = await opening;
  try {
    return await work(placeOf(fd), fd);
  } finally {
    closeSync(fd);
  }
}

async function openElement(parent: number, element: string, mode: number | undefined): Promise<number> {
  const options = { flags: O_PATH | constants.O_DIRECTORY | O_CLOEXEC, resolve: RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
  try {
    return await openat2Async(parent, element, options);
  } catch (error) {
    if (!(error instanceof PosixError) || error.code !== 'ENOENT') throw error;
    return makeElement(parent, element, mode, options);
  }
}

async function makeElement(parent: number, element: string, mode: number | undefined, options: Openat2Options) {
  const isMine = await mkdir(`${placeOf(parent)}/${element}`, mode ?? 0o755).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      // Another call was quicker.
      if (error.code === 'EEXIST') return false;
      throw error;
    },
  );
  const fd = await openat2Async(parent, element, options);
  try {
    // mkdir's mode is cut by the umask.
    if (isMine && mode !== undefined) await chmod(placeOf(fd), mode);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function refuseLinks(error: unknown, directory: string): unknown {
  if (!(error instanceof PosixError) || !['ELOOP', 'ENOTDIR', 'EXDEV'].includes(error.code)) return error;
  const message = `invalid path ${JSON.stringify(directory)}: a part of it is a link or no directory`;
  return new AgentError('INVALID_ARGUMENT', message, { cause: error });
}
