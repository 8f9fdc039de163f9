/** Work on one thing at a time, in the order it was asked for; work on different things goes on at once. */
export class InTurn {
  readonly #last = new Map<string, Promise<unknown>>();

  do<T>(what: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(what) ?? Promise.resolve();
    const turn = before.then(work, work);
    const ended = turn
      .catch(() => {})
      .then(() => {
        if (this.#last.get(what) === ended) this.#last.delete(what);
      });
    this.#last.set(what, ended);
    return turn;
  }
}
