import { closeSync, readdirSync, readlinkSync } from 'node:fs';
import { KataMockError } from '../errors.ts';

/**
 * Closes every descriptor of 3 and up that came from the wrapper: the shim's QMP listener, vsock and tap devices. Kept
 * here, the shim would wait for ever for a QEMU that failed. `sh` can close single digits only, and runtime-rs uses
 * 16, 21, …, so it is done here.
 *
 * Node has descriptors of its own by now, at any number that was free. One is inherited when the wrapper has the same
 * file at the same number: what Node opened itself is never a file of the wrapper's.
 */
export function closeInherited(wrapperPid: number): number[] {
  const theirs = `/proc/${wrapperPid}/fd`;
  let numbers: number[];
  try {
    numbers = readdirSync(theirs).map(Number);
  } catch (cause) {
    throw new KataMockError('HOST', `cannot list the wrapper's descriptors in ${theirs}`, { cause });
  }
  const inherited = numbers.filter((fd) => fd >= 3 && isSame(fileOf(theirs, fd), fileOf('/proc/self/fd', fd)));
  for (const fd of inherited) closeSync(fd);
  return inherited;
}

function isSame(theirs: string | undefined, ours: string | undefined): boolean {
  return theirs !== undefined && theirs === ours;
}

function fileOf(directory: string, fd: number): string | undefined {
  try {
    return readlinkSync(`${directory}/${fd}`);
  } catch {
    return undefined;
  }
}
