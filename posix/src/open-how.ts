import { constants } from 'node:fs';
import { word } from './errors.ts';

export const O_PATH = 0o10000000;
export const O_CLOEXEC = 0o2000000;

export interface Openat2Options {
  /** Default O_PATH: a handle on the place, not on its contents. O_CLOEXEC is always added. */
  flags?: number;
  /** Permissions of a file made with O_CREAT. */
  mode?: number;
  /** `RESOLVE_…` bits; none by default. */
  resolve?: number;
}

/** struct open_how, and what a message quotes of the call. */
export function openHow(dirfd: number, path: string, { flags = O_PATH, mode = 0, resolve = 0 }: Openat2Options) {
  const how = Buffer.alloc(24);
  how.writeBigUInt64LE(BigInt(flags | O_CLOEXEC | (flags & O_PATH ? 0 : constants.O_NOCTTY)) & 0xffffffffn, 0);
  how.writeBigUInt64LE(BigInt(mode), 8);
  how.writeBigUInt64LE(BigInt(resolve), 16);
  const quoted = [dirfd, path, word(`{flags: 0o${flags.toString(8)}, resolve: 0x${resolve.toString(16)}}`)];
  return { how, quoted };
}
