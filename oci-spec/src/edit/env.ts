import { SpecError } from '../errors.ts';
import type { Draft } from './draft.ts';

const PATH = ['process', 'env'] as const;

/** `process.env`. */
export class EnvEditor {
  readonly #draft: Draft;

  constructor(draft: Draft) {
    this.#draft = draft;
  }

  /** The `NAME=value` entries as they are. */
  entries(): readonly string[] {
    return this.#draft.list<string>(PATH) ?? [];
  }

  /** The value of a variable: of its last entry, as the C library's users see it. */
  get(name: string): string | undefined {
    const entry = this.entries()[this.#find(name)];
    return entry?.slice(name.length + 1);
  }

  /** Replaces the variable in place (its last entry when there are several), or appends it. */
  set(name: string, value: string): void {
    if (name === '' || name.includes('=')) {
      throw new SpecError('EDIT', '$.process.env', `${JSON.stringify(name)} cannot be the name of a variable`);
    }
    const index = this.#find(name);
    const entry = `${name}=${value}`;
    if (index < 0) this.#draft.insert(PATH, entry);
    else if (this.entries()[index] !== entry) this.#draft.set([...PATH, index], entry);
  }

  /** Removes every entry of the variable. */
  delete(name: string): void {
    for (let index = this.#find(name); index >= 0; index = this.#find(name)) this.#draft.remove([...PATH, index]);
  }

  #find(name: string): number {
    const entries = this.entries();
    const prefix = `${name}=`;
    for (let index = entries.length - 1; index >= 0; index--) {
      const entry: unknown = entries[index];
      if (typeof entry === 'string' && entry.startsWith(prefix)) return index;
    }
    return -1;
  }
}
