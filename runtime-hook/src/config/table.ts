import { KataMockError } from '../errors.ts';

/** A TOML table read key by key; what is left unread at the end is a mistake of the writer. */
export class Table {
  readonly #values: Record<string, unknown>;
  readonly #name: string;
  readonly #read = new Set<string>();

  constructor(values: Record<string, unknown>, name: string) {
    this.#values = values;
    this.#name = name;
  }

  value(key: string): unknown {
    this.#read.add(key);
    return this.#values[key];
  }

  text(key: string): string | undefined {
    return this.#typed(key, 'a text', (value) => typeof value === 'string' && value !== '');
  }

  /** A whole number of 0 or more. */
  number(key: string): number | undefined {
    return this.#typed(key, 'a number of 0 or more', (value) => Number.isSafeInteger(value) && (value as number) >= 0);
  }

  texts(key: string): string[] | undefined {
    const isTexts = (value: unknown) => Array.isArray(value) && value.every((entry) => typeof entry === 'string');
    return this.#typed(key, 'a list of texts', isTexts);
  }

  oneOf<Word extends string>(key: string, words: readonly Word[]): Word | undefined {
    return this.#typed(key, `one of ${words.join(', ')}`, (value) => words.includes(value as Word));
  }

  table(key: string): Table {
    return new Table(this.#typed<Record<string, unknown>>(key, 'a table', isTable) ?? {}, this.#full(key));
  }

  tables(key: string): object[] {
    return (
      this.#typed<object[]>(key, 'a list of tables', (value) => Array.isArray(value) && value.every(isTable)) ?? []
    );
  }

  refuseUnread(): void {
    const key = Object.keys(this.#values).find((name) => !this.#read.has(name));
    if (key === undefined) return;
    throw new KataMockError('USAGE', `there is no key ${JSON.stringify(this.#full(key))}`, {
      hint: `keys: ${[...this.#read].map((name) => this.#full(name)).join(', ')}`,
    });
  }

  #typed<Value>(key: string, expected: string, accepts: (value: unknown) => boolean): Value | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (!accepts(value)) {
      throw new KataMockError('USAGE', `${this.#full(key)} = ${JSON.stringify(value)} is not ${expected}`);
    }
    return value as Value;
  }

  #full(key: string): string {
    return this.#name === '' ? key : `${this.#name}.${key}`;
  }
}

function isTable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
