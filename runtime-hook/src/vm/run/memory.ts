import { statfsSync } from 'node:fs';
import { KataMockError } from '../../errors.ts';

const leastMiB = 256;
const mostMiB = 1024 * 1024;

/** `512M`, `2G` or a plain number of MiB, as a number of MiB. */
export function parseMemory(text: string): number {
  const match = /^([1-9][0-9]{0,6})([MmGg]?)$/.exec(text);
  const mib = match ? Number(match[1]) * (match[2]?.toUpperCase() === 'G' ? 1024 : 1) : Number.NaN;
  if (mib >= leastMiB && mib <= mostMiB) return mib;
  throw new KataMockError('USAGE', `--memory ${JSON.stringify(text)} is not a size from ${leastMiB}M to 1024G`, {
    hint: 'for example --memory 512M or --memory 2G',
  });
}

/** The VM's memory is a file there, shared with virtiofsd and the device host. */
export function checkSharedMemory(memoryMiB: number, dir = '/dev/shm', freeMiB = freeSpaceMiB(dir)): void {
  if (freeMiB >= memoryMiB) return;
  throw new KataMockError('HOST', `${dir} has ${freeMiB} MiB free, the VM's memory takes ${memoryMiB} MiB of it`, {
    hint: `give it less (--memory ${leastMiB}M), or make room: mount -o remount,size=${memoryMiB * 2}M ${dir}`,
  });
}

function freeSpaceMiB(dir: string): number {
  try {
    const { bavail, bsize } = statfsSync(dir);
    return Math.floor((bavail * bsize) / 1024 / 1024);
  } catch (cause) {
    throw new KataMockError('HOST', `${dir} is not there: ${(cause as NodeJS.ErrnoException).code}`, {
      cause,
      hint: `mount it: mount -t tmpfs tmpfs ${dir}`,
    });
  }
}
