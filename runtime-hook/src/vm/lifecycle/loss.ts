import { Code, TtrpcError } from 'ttrpc-ts';
import { KataMockError } from '../../errors.ts';
import { settlesWithin } from './within.ts';

/** The end of a process is reported a little after its sockets break. */
const explanationMs = 1000;

/**
 * The first thing that went wrong with a VM that should be running. Whatever waits for something of the VM waits for
 * this too, so nothing hangs on a VM that is gone.
 */
export class Loss {
  readonly #promise: Promise<never>;
  #reject!: (error: Error) => void;
  #error: Error | undefined;

  constructor() {
    this.#promise = new Promise((_, reject) => {
      this.#reject = reject;
    });
    // It may happen while nothing waits.
    this.#promise.catch(() => {});
  }

  get error(): Error | undefined {
    return this.#error;
  }

  /** Later reports are consequences of the first and are ignored. */
  report(error: KataMockError): void {
    if (this.#error) return;
    this.#error = error;
    this.#reject(error);
  }

  /** What `promise` gives, unless the VM is lost before. A broken connection is explained by the loss behind it. */
  async race<T>(promise: Promise<T>): Promise<T> {
    try {
      return await Promise.race([promise, this.#promise]);
    } catch (error) {
      if (isBrokenConnection(error)) await settlesWithin(this.#promise, explanationMs);
      throw this.#error ?? error;
    }
  }
}

function isBrokenConnection(error: unknown): boolean {
  const cause = error instanceof KataMockError ? error.cause : error;
  return cause instanceof TtrpcError && cause.code === Code.UNAVAILABLE;
}
