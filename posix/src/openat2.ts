import { cString, syscall } from './libc.ts';
import { type Openat2Options, openHow } from './open-how.ts';

export { O_CLOEXEC, O_PATH, type Openat2Options } from './open-how.ts';

export const AT_FDCWD = -100;

export const RESOLVE_NO_XDEV = 0x01;
export const RESOLVE_NO_MAGICLINKS = 0x02;
export const RESOLVE_NO_SYMLINKS = 0x04;
/** No step may leave `dirfd`, by `..`, an absolute path or a link: EXDEV. */
export const RESOLVE_BENEATH = 0x08;
/** `dirfd` is the root while the path is resolved, as after chroot. */
export const RESOLVE_IN_ROOT = 0x10;

/**
 * Opens a path whose resolution the kernel keeps inside `dirfd` (openat2(2), Linux 5.6): what a path check in user
 * space cannot do against someone who swaps directories for links meanwhile.
 */
export function openat2(dirfd: number, path: string, options: Openat2Options = {}): number {
  const { how, quoted } = openHow(dirfd, path, options);
  return syscall('openat2', [dirfd, cString('openat2', path, quoted), how, how.byteLength], quoted);
}
