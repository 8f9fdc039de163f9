import type { PciFunction } from '../kit/pci-function.ts';

/** What a command starts and the device ends by itself: never after a reset, and not while it is stopped to be moved. */
export class Work {
  readonly #isUnderWay: () => boolean;
  readonly #carryOut: (fn: PciFunction, isCurrent: () => boolean) => void;
  #fn: PciFunction | undefined;
  /** Counts resets and stops: work that waits for the client's reply over one must not change anything after it. */
  #generation = 0;
  #stopped = false;

  /** `carryOut` runs after the command is answered; what it does after a wait counts only while it `isCurrent`. */
  constructor(isUnderWay: () => boolean, carryOut: (fn: PciFunction, isCurrent: () => boolean) => void) {
    this.#isUnderWay = isUnderWay;
    this.#carryOut = carryOut;
  }

  attached(fn: PciFunction): void {
    this.#fn = fn;
  }

  start(): void {
    if (this.#stopped) return;
    const generation = this.#generation;
    const isCurrent = () => generation === this.#generation;
    this.#fn?.bus.task(() => {
      if (isCurrent()) this.#carryOut(this.#fn!, isCurrent);
    });
  }

  reset(): void {
    this.#generation++;
  }

  /** What is under way is put off; it begins anew when the device runs again, here or elsewhere. */
  stop(): void {
    this.#stopped = true;
    this.#generation++;
  }

  run(): void {
    this.#stopped = false;
    if (this.#isUnderWay()) this.start();
  }
}
