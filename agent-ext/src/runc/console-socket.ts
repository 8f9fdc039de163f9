import { randomBytes } from 'node:crypto';
import { closeSync, rmSync } from 'node:fs';
import path from 'node:path';
import { accept, closeAll, recvmsg, unixListen } from '@kata-mock/posix';
import { AgentError } from '../errors.ts';

/** runc sends the name of the terminal along with its master. */
const NAME_BYTES = 4096;

/** The unix socket by which runc hands over the master of a container's terminal. */
export class ConsoleSocket {
  readonly path: string;
  readonly #listener: number;

  /** @param directory of the agent's own; its path must leave room for a socket name (107 bytes in all) */
  constructor(directory: string) {
    this.path = path.join(directory, `tty-${randomBytes(4).toString('hex')}`);
    this.#listener = unixListen(this.path, { mode: 0o600, nonblock: true });
  }

  /** Takes the master. Call after runc has ended well: it sends before that, so nothing here waits. */
  receive(): number {
    const connection = accept(this.#listener, { nonblock: true });
    try {
      const { fds } = recvmsg(connection, new Uint8Array(NAME_BYTES), { maxFds: 1 });
      const [master, ...more] = fds;
      closeAll(more);
      if (master === undefined) throw new AgentError('INTERNAL', 'runc sent no terminal through the console socket');
      return master;
    } finally {
      closeSync(connection);
    }
  }

  close(): void {
    closeSync(this.#listener);
    rmSync(this.path, { force: true });
  }
}
