import type { Draft } from './draft.ts';

/** `linux.maskedPaths` or `linux.readonlyPaths`. */
export class PathListEditor {
  readonly #draft: Draft;
  readonly #path: readonly string[];

  constructor(draft: Draft, member: 'maskedPaths' | 'readonlyPaths') {
    this.#draft = draft;
    this.#path = ['linux', member];
  }

  entries(): readonly string[] {
    return this.#draft.list<string>(this.#path) ?? [];
  }

  /** Appends the path unless it is there. */
  add(path: string): void {
    if (!this.entries().includes(path)) this.#draft.insert(this.#path, path);
  }

  delete(path: string): void {
    const index = this.entries().indexOf(path);
    if (index >= 0) this.#draft.remove([...this.#path, index]);
  }
}
