/** What must be undone when a later step fails, newest first. */
export class UndoStack {
  readonly #steps: { what: string; undo: () => void | Promise<void> }[] = [];

  add(what: string, undo: () => void | Promise<void>): void {
    this.#steps.push({ what, undo });
  }

  /** Runs everything even when one step fails; failures go to `onError`. */
  async run(onError: (what: string, error: unknown) => void): Promise<void> {
    for (const { what, undo } of this.#steps.splice(0).reverse()) {
      try {
        await undo();
      } catch (error) {
        onError(what, error);
      }
    }
  }

  /** Everything went well: nothing to undo any more. */
  clear(): void {
    this.#steps.length = 0;
  }
}
