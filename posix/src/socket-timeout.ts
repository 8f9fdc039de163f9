import { word } from './errors.ts';
import { bind, check } from './libc.ts';

const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_SNDTIMEO = 21;

const setsockoptFunction = bind('setsockopt', ['int', 'int', 'int', 'pointer', 'uint']);

/** Bounds how long a blocking receive or send waits before it fails with EAGAIN; 0 waits for ever. */
export function setSocketTimeouts(fd: number, timeouts: { receiveMs?: number; sendMs?: number }): void {
  if (timeouts.receiveMs !== undefined) set(fd, SO_RCVTIMEO, 'SO_RCVTIMEO', timeouts.receiveMs);
  if (timeouts.sendMs !== undefined) set(fd, SO_SNDTIMEO, 'SO_SNDTIMEO', timeouts.sendMs);
}

function set(fd: number, option: number, name: string, milliseconds: number): void {
  // struct timeval of 64-bit Linux: seconds, microseconds.
  const time = Buffer.alloc(16);
  time.writeBigInt64LE(BigInt(Math.floor(milliseconds / 1000)), 0);
  time.writeBigInt64LE(BigInt(Math.round((milliseconds % 1000) * 1000)), 8);
  const args = [fd, SOL_SOCKET, option, time, time.byteLength];
  check('setsockopt', setsockoptFunction, args, [fd, word('SOL_SOCKET'), word(name), milliseconds]);
}
