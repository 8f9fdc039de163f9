import { randomBytes } from 'node:crypto';
import { closeSync, constants, openSync, rmSync } from 'node:fs';
import path from 'node:path';
import { accept, closeAll, O_PATH, recvmsg, unixListen } from '@kata-mock/posix';
import { AgentError } from '../errors.ts';

/** runc sends the name of the terminal along with its master. */
const NAME_BYTES = 4096;

/** The unix socket by which runc hands over the master of a container's terminal. */
export class ConsoleSocket {
  /** For runc: a short one, by a descriptor of this process, since the name of a socket has at most 107 bytes. */
  readonly path: string;
  readonly #directory: number;
  readonly #file: string;
  readonly #listener: number;

  /** @param directory of the agent's own, of whatever length */
  constructor(directory: string) {
    const name = `tty-${randomBytes(4).toString('hex')}`;
    this.#file = path.join(directory, name);
    this.#directory = openSync(directory, O_PATH | constants.O_DIRECTORY);
    this.path = `/proc/${process.pid}/fd/${this.#directory}/${name}`;
    try {
      this.#listener = unixListen(this.path, { mode: 0o600, nonblock: true });
    } catch (error) {
      closeSync(this.#directory);
      throw error;
    }
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
    closeSync(this.#directory);
    rmSync(this.#file, { force: true });
  }
}
