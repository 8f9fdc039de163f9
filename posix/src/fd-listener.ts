import { EventEmitter } from 'node:events';
import { closeSync } from 'node:fs';
import { setNonblocking } from './descriptors.ts';
import { FdDuplex, type FdDuplexOptions } from './fd-duplex.ts';
import { EXHAUSTED_PAUSE_MS, tryAccept } from './socket.ts';
import { FdWatcher } from './watcher.ts';

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
      const connection = this.#accept();
      if (typeof connection !== 'number') return;
      this.emit('connection', new FdDuplex(connection, this.#options));
    }
  }

  #accept(): number | undefined {
    try {
      const connection = tryAccept(this.fd, { nonblock: true });
      if (typeof connection === 'number') return connection;
      if (connection === 'exhausted') {
        this.#watcher.watch({});
        setTimeout(() => this.#watcher.watch({ readable: true }), EXHAUSTED_PAUSE_MS);
      }
    } catch (error) {
      this.close();
      this.emit('error', error as Error);
    }
    return undefined;
  }
}
