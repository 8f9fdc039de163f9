import { readSync, writeSync } from 'node:fs';
import { bind, check } from './libc.ts';

const EFD_CLOEXEC = 0o2000000;
const EFD_NONBLOCK = 0o4000;

const eventfdFunction = bind('eventfd', ['uint', 'int']);

/** A counter that can be polled; non-blocking. */
export function eventfd(initial = 0): number {
  return check('eventfd', eventfdFunction, [initial, EFD_CLOEXEC | EFD_NONBLOCK], [initial]);
}

/** Adds `value` to the counter: wakes whoever polls it. A full counter stays full, which wakes as well. */
export function eventfdWrite(fd: number, value = 1n): void {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64LE(value);
  try {
    writeSync(fd, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
  }
}

/** Takes the counter's value and sets it to 0; 0n when nothing was added since the last call. */
export function eventfdRead(fd: number): bigint {
  const bytes = Buffer.allocUnsafe(8);
  try {
    readSync(fd, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0n;
    throw error;
  }
  return bytes.readBigUInt64LE();
}
