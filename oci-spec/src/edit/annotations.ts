import type { Draft } from './draft.ts';

/** `annotations` of the container. */
export class AnnotationEditor {
  readonly #draft: Draft;

  constructor(draft: Draft) {
    this.#draft = draft;
  }

  entries(): Readonly<Record<string, string>> {
    return this.#draft.root.annotations ?? {};
  }

  get(key: string): string | undefined {
    return this.#draft.get(['annotations', key]) as string | undefined;
  }

  set(key: string, value: string): void {
    if (this.get(key) !== value) this.#draft.set(['annotations', key], value);
  }

  delete(key: string): void {
    this.#draft.remove(['annotations', key]);
  }
}
