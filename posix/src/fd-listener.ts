import { EventEmitter } from 'node:events';
import { closeSync } from 'node:fs';
import { setNonblocking } from './descriptors.ts';
import { FdDuplex, type FdDuplexOptions } from './fd-duplex.ts';
import { accept } from './socket.ts';
import { FdWatcher } from './watcher.ts';

/** How long to leave waiting connections alone when no descriptor is free for them, in ms. */
const EXHAUSTED_PAUSE = 100;

/** Accepts the connections of a listening descriptor (of `vsockListen()`, `unixListen()`): event `connection` with a stream. */
export class FdListener extends EventEmitter<{ connection: [FdDuplex]; error: [Error]; close: [] }> {
  readonly fd: number;
  readonly #watcher: FdWatcher;
  readonly #options: FdDuplexOptions;

  constructor(fd: number, options: FdDuplexOptions = {}) {
    super();
    this.fd = fd;
    this.#options = options;
    setNonblocking(fd, true);
    this.#watcher = new FdWatcher(fd, { readable: () => this.#acceptAll() });
    this.#watcher.watch({ readable: true });
  }

  unref(): this {
    this.#watcher.ref(false);
    return this;
  }

  /** Stops listening; connections that were accepted live on. */
  close(): void {
    if (this.#watcher.closed) return;
    this.#watcher.close();
    closeSync(this.fd);
    this.emit('close');
  }

  #acceptAll(): void {
    while (!this.#watcher.closed) {
      let connection: number;
      try {
        connection = accept(this.fd, { nonblock: true });
      } catch (error) {
        this.#acceptFailed(error as Error & { code?: string });
        return;
      }
      this.emit('connection', new FdDuplex(connection, this.#options));
    }
  }

  #acceptFailed(error: Error & { code?: string }): void {
    // ECONNABORTED: the peer gave up while it waited.
    if (error.code === 'EAGAIN' || error.code === 'ECONNABORTED') return;
    if (error.code === 'EMFILE' || error.code === 'ENFILE' || error.code === 'ENOBUFS' || error.code === 'ENOMEM') {
      this.#watcher.watch({});
      setTimeout(() => this.#watcher.watch({ readable: true }), EXHAUSTED_PAUSE);
      return;
    }
    this.close();
    this.emit('error', error);
  }
}
