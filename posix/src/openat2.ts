import { constants } from 'node:fs';
import { word } from './errors.ts';
import { cString, syscall } from './libc.ts';

export const AT_FDCWD = -100;
export const O_PATH = 0o10000000;
export const O_CLOEXEC = 0o2000000;

export const RESOLVE_NO_XDEV = 0x01;
export const RESOLVE_NO_MAGICLINKS = 0x02;
export const RESOLVE_NO_SYMLINKS = 0x04;
/** No step may leave `dirfd`, by `..`, an absolute path or a link: EXDEV. */
export const RESOLVE_BENEATH = 0x08;
/** `dirfd` is the root while the path is resolved, as after chroot. */
export const RESOLVE_IN_ROOT = 0x10;

export interface Openat2Options {
  /** Default O_PATH: a handle on the place, not on its contents. O_CLOEXEC is always added. */
  flags?: number;
  /** Permissions of a file made with O_CREAT. */
  mode?: number;
  /** `RESOLVE_…` bits; none by default. */
  resolve?: number;
}

/**
 * Opens a path whose resolution the kernel keeps inside `dirfd` (openat2(2), Linux 5.6): what a path check in user
 * space cannot do against someone who swaps directories for links meanwhile.
 */
export function openat2(dirfd: number, path: string, options: Openat2Options = {}): number {
  const { flags = O_PATH, mode = 0, resolve = 0 } = options;
  const how = Buffer.alloc(24);
  how.writeBigUInt64LE(BigInt(flags | O_CLOEXEC | (flags & O_PATH ? 0 : constants.O_NOCTTY)) & 0xffffffffn, 0);
  how.writeBigUInt64LE(BigInt(mode), 8);
  how.writeBigUInt64LE(BigInt(resolve), 16);
  const quoted = [dirfd, path, word(`{flags: 0o${flags.toString(8)}, resolve: 0x${resolve.toString(16)}}`)];
  return syscall('openat2', [dirfd, cString('openat2', path, quoted), how, how.byteLength], quoted);
}
