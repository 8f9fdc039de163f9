import { SHUT_RDWR, shutdown } from '@kata-mock/posix';

const NONE = -1;
/** Someone is about to use the descriptor: it must not be closed now. */
const IN_USE = -2;

/**
 * The socket of a function's client as two threads know it: the function's own, which blocks in sends and receives, and
 * the host's, which can end them by it. `word` is one word of memory that both share.
 */
export class ClientSocket {
  readonly #word: Int32Array;

  constructor(word: SharedArrayBuffer) {
    this.#word = new Int32Array(word);
  }

  /** Memory for {@link ClientSocket}, without a client. */
  static memory(): SharedArrayBuffer {
    const memory = new SharedArrayBuffer(4);
    Atomics.store(new Int32Array(memory), 0, NONE);
    return memory;
  }

  set(fd: number): void {
    Atomics.store(this.#word, 0, fd);
  }

  /** Before the descriptor is closed: its number may be another's right after. Waits while the other thread uses it. */
  forget(): void {
    for (;;) {
      const fd = Atomics.load(this.#word, 0);
      if (fd === IN_USE) Atomics.wait(this.#word, 0, IN_USE);
      else if (Atomics.compareExchange(this.#word, 0, fd, NONE) === fd) return;
    }
  }

  /** The descriptor, when it was never forgotten: its thread is no more. */
  take(): number[] {
    const fd = Atomics.exchange(this.#word, 0, NONE);
    return fd < 0 ? [] : [fd];
  }

  /** Ends the connection: whatever waits for the client fails or ends, in every thread. */
  shutdown(): void {
    const fd = Atomics.load(this.#word, 0);
    if (fd < 0 || Atomics.compareExchange(this.#word, 0, fd, IN_USE) !== fd) return;
    try {
      shutdown(fd, SHUT_RDWR);
    } catch {
      // The client has gone already.
    } finally {
      Atomics.store(this.#word, 0, fd);
      Atomics.notify(this.#word, 0);
    }
  }
}
