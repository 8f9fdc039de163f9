import { VfioUserError } from '../errors.ts';

/** Linux errno values that travel in error replies. */
export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  EIO: 5,
  E2BIG: 7,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ENOSPC: 28,
  EPIPE: 32,
  ENOSYS: 38,
  ENOTSUP: 95,
  ECONNRESET: 104,
  ENOTCONN: 107,
  ETIMEDOUT: 110,
} as const;

const names = new Map<number, string>(Object.entries(Errno).map(([name, number]) => [number, name]));

export function errnoName(errno: number): string {
  return names.get(errno) ?? `errno ${errno}`;
}

/** An error the peer is told about: EINVAL unless another errno is given. */
export function protocolError(message: string, errno: number = Errno.EINVAL): VfioUserError {
  return new VfioUserError('PROTOCOL', message, { errno });
}
