import { PosixError } from './errors.ts';
import { bind, check } from './libc.ts';

const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const ENXIO = 6;

const lseekFunction = bind('lseek', ['int', 'int64_t', 'int'], 'long');

/** Where data begins at or after `offset` in a sparse file; undefined when only a hole follows. Moves the file offset. */
export function seekData(fd: number, offset: number): number | undefined {
  return seek(fd, offset, SEEK_DATA);
}

/** Where the next hole begins at or after `offset`; the file's end counts as one. Moves the file offset. */
export function seekHole(fd: number, offset: number): number | undefined {
  return seek(fd, offset, SEEK_HOLE);
}

function seek(fd: number, offset: number, whence: number): number | undefined {
  try {
    return check('lseek', lseekFunction, [fd, offset, whence]);
  } catch (error) {
    if (error instanceof PosixError && error.errno === ENXIO) return undefined;
    throw error;
  }
}
