import { SHUT_RDWR, shutdown } from '@kata-mock/posix';

const NONE = -1;
/** Someone is about to use the descriptor: it must not be closed now. */
const IN_USE = -2;
/** The connection, and the one for the server's own commands. */
const MOST = 2;

/**
 * The sockets of a function's client as two threads know them: the function's own, which blocks in sends and receives,
 * and the host's, which can end them by it. Both share `memory`.
 */
export class ClientSockets {
  readonly #words: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
  }

  /** Memory for {@link ClientSockets}, without a client. */
  static memory(): SharedArrayBuffer {
    const memory = new SharedArrayBuffer(MOST * 4);
    new Int32Array(memory).fill(NONE);
    return memory;
  }

  add(fd: number): void {
    for (let at = 0; at < MOST; at++) if (Atomics.compareExchange(this.#words, at, NONE, fd) === NONE) return;
  }

  /** Before the descriptor is closed: its number may be another's right after. Waits while the other thread uses it. */
  forget(fd: number): void {
    for (let at = 0; at < MOST; ) {
      const held = Atomics.load(this.#words, at);
      if (held === IN_USE) Atomics.wait(this.#words, at, IN_USE);
      else if (held !== fd || Atomics.compareExchange(this.#words, at, fd, NONE) === fd) at++;
    }
  }

  /** Those that were never forgotten: their thread is no more. */
  takeAll(): number[] {
    return [...this.#words.keys()].map((at) => Atomics.exchange(this.#words, at, NONE)).filter((fd) => fd >= 0);
  }

  /** Ends the connections: whatever waits for the client fails or ends, in every thread. */
  shutdown(): void {
    for (let at = 0; at < MOST; at++) {
      const fd = Atomics.load(this.#words, at);
      if (fd < 0 || Atomics.compareExchange(this.#words, at, fd, IN_USE) !== fd) continue;
      try {
        shutdown(fd, SHUT_RDWR);
      } catch {
        // The client has gone already.
      } finally {
        Atomics.store(this.#words, at, fd);
        Atomics.notify(this.#words, at);
      }
    }
  }
}
