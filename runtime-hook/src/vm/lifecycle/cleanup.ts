/** Steps that undo what was done, run last first, each once, whatever the others do. */
export class Cleanup {
  readonly #steps: { what: string; undo: () => unknown }[] = [];
  readonly #report: (what: string, error: unknown) => void;

  constructor(report: (what: string, error: unknown) => void) {
    this.#report = report;
  }

  defer(what: string, undo: () => unknown): void {
    this.#steps.push({ what, undo });
  }

  async run(): Promise<void> {
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step.undo();
      } catch (error) {
        this.#report(step.what, error);
      }
    }
  }
}
