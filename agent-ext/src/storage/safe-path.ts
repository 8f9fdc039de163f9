import { closeSync, constants, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import { O_CLOEXEC, O_PATH, openat2, PosixError, RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS } from '@kata-mock/posix';
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
 * Missing directories are made. The caller closes the descriptor; `/proc/self/fd/<fd>` names it for mount(2).
 */
export function openDirectoryBelow(base: string, directory: string, mode = 0o755): number {
  const elements = path.relative(base, directory).split('/').filter(Boolean);
  let fd = openSync(base, O_PATH | constants.O_DIRECTORY | O_CLOEXEC);
  for (const element of elements) {
    try {
      const next = openElement(fd, element, mode);
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
 * closes the descriptor, which is for `/proc/self/fd/<fd>` only.
 */
export function openBelow(base: string, file: string): number {
  const root = openSync(base, O_PATH | constants.O_DIRECTORY | O_CLOEXEC);
  try {
    const resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
    return openat2(root, path.relative(base, file), { flags: O_PATH | O_CLOEXEC, resolve });
  } catch (error) {
    if (!(error instanceof PosixError) || error.code !== 'ENOENT') throw refuseLinks(error, file);
    throw new AgentError('NOT_FOUND', `${JSON.stringify(file)} does not exist in the guest`, { cause: error });
  } finally {
    closeSync(root);
  }
}

function openElement(parent: number, element: string, mode: number): number {
  const options = { flags: O_PATH | constants.O_DIRECTORY | O_CLOEXEC, resolve: RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
  try {
    return openat2(parent, element, options);
  } catch (error) {
    if (!(error instanceof PosixError) || error.code !== 'ENOENT') throw error;
    mkdirSync(`/proc/self/fd/${parent}/${element}`, { mode });
    return openat2(parent, element, options);
  }
}

function refuseLinks(error: unknown, directory: string): unknown {
  if (!(error instanceof PosixError) || !['ELOOP', 'ENOTDIR', 'EXDEV'].includes(error.code)) return error;
  const message = `invalid path ${JSON.stringify(directory)}: a part of it is a link or no directory`;
  return new AgentError('INVALID_ARGUMENT', message, { cause: error });
}
