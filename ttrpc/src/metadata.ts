/**
 * Metadata of a call: text keys with one or more text values, in order. Keys are compared in lower case, as the Go
 * implementation does.
 */
export class Metadata {
  readonly #entries: [key: string, value: string][] = [];

  constructor(init?: MetadataInit) {
    if (init === undefined) return;
    const entries = isIterable(init) ? init : Object.entries(init);
    for (const [key, value] of entries) {
      for (const one of typeof value === 'string' ? [value] : value) this.append(key, one);
    }
  }

  /** The first value of a key. */
  get(key: string): string | undefined {
    const wanted = key.toLowerCase();
    return this.#entries.find(([name]) => name === wanted)?.[1];
  }

  getAll(key: string): string[] {
    const wanted = key.toLowerCase();
    return this.#entries.filter(([name]) => name === wanted).map(([, value]) => value);
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  append(key: string, value: string): this {
    this.#entries.push([key.toLowerCase(), value]);
    return this;
  }

  /** Replaces every value of a key. */
  set(key: string, value: string): this {
    return this.delete(key).append(key, value);
  }

  delete(key: string): this {
    const wanted = key.toLowerCase();
    for (let i = this.#entries.length - 1; i >= 0; i--) if (this.#entries[i]![0] === wanted) this.#entries.splice(i, 1);
    return this;
  }

  get size(): number {
    return this.#entries.length;
  }

  [Symbol.iterator](): IterableIterator<[key: string, value: string]> {
    return this.#entries[Symbol.iterator]();
  }
}

/** Anything `new Metadata()` takes: a record, entries, or other metadata. */
export type MetadataInit =
  | Readonly<Record<string, string | readonly string[]>>
  | Iterable<readonly [key: string, value: string]>;

function isIterable(init: MetadataInit): init is Iterable<readonly [string, string]> {
  return Symbol.iterator in init;
}
