import type { Mount } from '../types/index.ts';
import type { Draft } from './draft.ts';

const PATH = ['mounts'] as const;

/** `mounts`, in mount order. */
export class MountEditor {
  readonly #draft: Draft;

  constructor(draft: Draft) {
    this.#draft = draft;
  }

  entries(): readonly Mount[] {
    return this.#draft.list<Mount>(PATH) ?? [];
  }

  find(destination: string): Mount | undefined {
    return this.entries()[this.#find(destination)];
  }

  /** Takes the place of the first mount with the same destination, and comes last. */
  put(mount: Mount): void {
    const index = this.#find(mount.destination);
    if (index >= 0) this.#draft.remove([...PATH, index]);
    this.#draft.insert(PATH, { ...mount });
  }

  /** Changes members of the first mount with this destination, in place. */
  update(destination: string, patch: Partial<Mount>): void {
    const index = this.#find(destination);
    if (index >= 0) this.#draft.set([...PATH, index], { ...(this.entries()[index] as Mount), ...patch });
  }

  /** Removes every mount with this destination. */
  delete(destination: string): void {
    for (let at = this.#find(destination); at >= 0; at = this.#find(destination)) this.#draft.remove([...PATH, at]);
  }

  /** Sorts stably. */
  sort(compare: (a: Mount, b: Mount) => number): void {
    this.#draft.sort(PATH, compare);
  }

  #find(destination: string): number {
    return this.entries().findIndex((mount) => mount?.destination === destination);
  }
}
