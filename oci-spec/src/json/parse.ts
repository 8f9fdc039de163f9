import { SpecError } from '../errors.ts';
import { formatPath } from './path.ts';

/** Any value of a parsed document; integers that a number cannot hold exactly are bigints. */
export type Json = null | boolean | number | bigint | string | Json[] | { [name: string]: Json };

export interface ParseOptions {
  /** What a repeated member name does: `last` (the default) lets the last one win as Go and JSON.parse do. */
  duplicates?: 'last' | 'error';
  /** Most arrays and objects inside each other; 512 unless told. */
  maxDepth?: number;
}

/**
 * Parses RFC 8259 JSON without losing numbers: integers outside ±(2^53 - 1) become bigints.
 * @throws {SpecError} SYNTAX or LIMIT, with line and column in the message
 */
export function parseJson(text: string | Uint8Array, options: ParseOptions = {}): Json {
  return new Parser(typeof text === 'string' ? text : decode(text), options).document();
}

/** UTF-8 only: what is not UTF-8 is refused rather than replaced, since a path with a replacement character is another path. */
function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new SpecError('SYNTAX', '$', 'the text is not valid UTF-8', { cause });
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const escapes: Record<string, string> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};
const number = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;

class Parser {
  readonly #text: string;
  readonly #strict: boolean;
  readonly #maxDepth: number;
  #at = 0;
  #path: (string | number)[] = [];

  constructor(text: string, options: ParseOptions) {
    this.#text = text;
    this.#strict = options.duplicates === 'error';
    this.#maxDepth = options.maxDepth ?? 512;
    if (text.charCodeAt(0) === 0xfeff) this.#at = 1;
  }

  document(): Json {
    const value = this.#value();
    this.#next();
    if (this.#at < this.#text.length) this.#fail('text after the end of the document');
    return value;
  }

  /** Skips white space; the character code at hand, NaN at the end. */
  #next(): number {
    const text = this.#text;
    let code = text.charCodeAt(this.#at);
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) code = text.charCodeAt(++this.#at);
    return code;
  }

  #value(): Json {
    switch (this.#next()) {
      case 0x7b:
        return this.#object();
      case 0x5b:
        return this.#array();
      case QUOTE:
        return this.#string();
      case 0x74:
        return this.#word('true', true);
      case 0x66:
        return this.#word('false', false);
      case 0x6e:
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #object(): { [name: string]: Json } {
    const result: { [name: string]: Json } = {};
    this.#open();
    if (this.#next() !== 0x7d) {
      for (;;) {
        if (this.#next() !== QUOTE) this.#fail('expected a member name in double quotes');
        const name = this.#string();
        if (this.#strict && Object.hasOwn(result, name))
          this.#fail(`duplicate member ${JSON.stringify(name.slice(0, 80))}`);
        if (this.#next() !== 0x3a) this.#fail('expected ":" after a member name');
        this.#at++;
        this.#path.push(name);
        const value = this.#value();
        this.#path.pop();
        if (name === '__proto__') define(result, name, value);
        else result[name] = value;
        const code = this.#next();
        if (code === 0x7d) break;
        if (code !== 0x2c) this.#fail('expected "," or "}" in an object');
        this.#at++;
      }
    }
    this.#at++;
    return result;
  }

  #array(): Json[] {
    const result: Json[] = [];
    this.#open();
    if (this.#next() !== 0x5d) {
      for (;;) {
        this.#path.push(result.length);
        result.push(this.#value());
        this.#path.pop();
        const code = this.#next();
        if (code === 0x5d) break;
        if (code !== 0x2c) this.#fail('expected "," or "]" in an array');
        this.#at++;
      }
    }
    this.#at++;
    return result;
  }

  #open(): void {
    this.#at++;
    if (this.#path.length >= this.#maxDepth) {
      throw new SpecError('LIMIT', '$', `nested more than ${this.#maxDepth} levels deep`);
    }
  }

  #string(): string {
    const text = this.#text;
    const start = ++this.#at;
    for (;;) {
      const code = text.charCodeAt(this.#at);
      if (code === QUOTE) return text.slice(start, this.#at++);
      if (code === BACKSLASH) return this.#escaped(start);
      if (!(code >= 0x20)) this.#fail(this.#at < text.length ? 'control character in a string' : 'string without end');
      this.#at++;
    }
  }

  /** The rest of a string that has escapes. */
  #escaped(start: number): string {
    const text = this.#text;
    let result = '';
    let from = start;
    for (;;) {
      const code = text.charCodeAt(this.#at);
      if (code === QUOTE) return result + text.slice(from, this.#at++);
      if (!(code >= 0x20)) this.#fail(this.#at < text.length ? 'control character in a string' : 'string without end');
      if (code !== BACKSLASH) {
        this.#at++;
        continue;
      }
      result += text.slice(from, this.#at);
      const letter = text[this.#at + 1] ?? '';
      const hex = letter === 'u' ? /^[0-9a-fA-F]{4}$/.exec(text.slice(this.#at + 2, this.#at + 6)) : null;
      const plain = escapes[letter];
      if (hex) result += String.fromCharCode(Number.parseInt(hex[0], 16));
      else if (plain !== undefined) result += plain;
      else this.#fail('bad escape in a string');
      this.#at += hex ? 6 : 2;
      from = this.#at;
    }
  }

  #number(): number | bigint {
    number.lastIndex = this.#at;
    const match = number.exec(this.#text);
    if (!match) this.#fail(this.#at < this.#text.length ? 'expected a value' : 'unexpected end of the text');
    const value = Number(match[0]);
    const isInteger = match[1] === undefined && match[2] === undefined;
    if (isInteger && match[0].length > 4096) throw new SpecError('LIMIT', formatPath(this.#path), 'number too long');
    if (!isInteger && !Number.isFinite(value)) this.#fail(`number ${match[0].slice(0, 40)} is out of range`);
    this.#at += match[0].length;
    return isInteger && !Number.isSafeInteger(value) ? BigInt(match[0]) : value;
  }

  #word<T extends Json>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) this.#fail('expected a value');
    this.#at += word.length;
    return value;
  }

  #fail(reason: string): never {
    const before = this.#text.slice(0, this.#at);
    const line = before.split('\n').length;
    const column = this.#at - before.lastIndexOf('\n');
    throw new SpecError('SYNTAX', formatPath(this.#path), `${reason} (line ${line}, column ${column})`);
  }
}

/** An own member even of the name that assignment would take for the prototype. */
function define(object: object, name: string, value: Json): void {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}
