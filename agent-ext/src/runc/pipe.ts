import { randomBytes } from 'node:crypto';
import { closeSync, constants, openSync, rmSync } from 'node:fs';
import path from 'node:path';
import { mknod, S_IFIFO, setNonblocking } from '@kata-mock/posix';

export interface Pipe {
  readonly read: number;
  readonly write: number;
}

/**
 * A real pipe, both ends blocking. Node's own child pipes are sockets, and a process that opens `/dev/stdout` on a socket gets
 * ENXIO, which breaks common images. Node has no pipe(2), so this is a FIFO whose name is gone before anyone can see it.
 * @param directory of the agent's own, on a file system that has FIFOs
 */
export function makePipe(directory: string): Pipe {
  const name = path.join(directory, `.pipe-${randomBytes(8).toString('hex')}`);
  mknod(name, S_IFIFO | 0o600);
  try {
    // The reader first: without one a non-blocking writer gets ENXIO.
    const read = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const write = openSync(name, constants.O_WRONLY | constants.O_NONBLOCK);
      for (const end of [read, write]) setNonblocking(end, false);
      return { read, write };
    } catch (error) {
      closeSync(read);
      throw error;
    }
  } finally {
    rmSync(name, { force: true });
  }
}
