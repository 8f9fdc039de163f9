import type { KataMockError } from '../../errors.ts';

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

  /** What `promise` gives, unless the VM is lost before. */
  race<T>(promise: Promise<T>): Promise<T> {
    promise.catch(() => {});
    return Promise.race([promise, this.#promise]);
  }
}
