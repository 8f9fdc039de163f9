/** Timers of a thread that blocks in system calls and so has no event loop. Milliseconds of performance.now(). */
export class Timers {
  readonly #entries: { due: number; work: () => void }[] = [];

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** When the first entry is due; Infinity for none. */
  get next(): number {
    return this.#entries[0]?.due ?? Number.POSITIVE_INFINITY;
  }

  after(delayMs: number, work: () => void, now = performance.now()): () => void {
    const entry = { due: now + delayMs, work };
    this.#entries.push(entry);
    this.#entries.sort((a, b) => a.due - b.due);
    return () => {
      const index = this.#entries.indexOf(entry);
      if (index >= 0) this.#entries.splice(index, 1);
    };
  }

  /** Runs what is due. Returns ms until the next entry, Infinity for none. */
  run(now: number, execute: (work: () => void) => void): number {
    for (let first = this.#entries[0]; first && first.due <= now; first = this.#entries[0]) {
      this.#entries.shift();
      execute(first.work);
    }
    return this.#entries[0] ? this.#entries[0].due - now : Number.POSITIVE_INFINITY;
  }
}
