import {
  Composer,
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  Parser,
  type Scalar,
} from 'yaml';
import { CdiError, quote } from '../errors.ts';
import type { CdiSpec } from '../types.ts';
import { decodeSpec } from './spec-decoder.ts';
import { plainScalar } from './yaml-scalar.ts';

/** Values a document may come to once its aliases are expanded; 2,000 devices of 20 edits have a tenth of that. */
const MAX_VALUES = 200_000;
const MAX_DEPTH = 64;
/** Brackets and dashes that a text may nest before it is looked at more closely. */
const MAX_BRACKETS = 500;
/** Lines, commas and colons of a text, each of which costs the parser several microseconds: a tenth of a second in all. */
const MAX_SEPARATORS = 100_000;

/**
 * Reads a spec from the first document of a YAML text, with the types of YAML 1.1 as the reference reads them.
 * @throws {CdiError} SYNTAX, LIMIT or INVALID
 */
export function specFromYaml(text: string, proposals: boolean): CdiSpec {
  return decodeSpec(parseYaml(text), proposals);
}

/**
 * The plain values of the first document of a YAML text.
 * @throws {CdiError} SYNTAX or LIMIT, with line and column
 */
export function parseYaml(text: string): unknown {
  const { nesting, separators } = measure(text);
  if (nesting > MAX_BRACKETS) throw new CdiError('LIMIT', `nested more than ${MAX_DEPTH} levels deep`);
  if (separators > MAX_SEPARATORS)
    throw new CdiError('LIMIT', `more than ${MAX_SEPARATORS} lines, commas and colons: write such a spec as JSON`);
  const lines = new LineCounter();
  const document = firstDocument(text, lines);
  return document ? new Reader(lines).read(document.contents, 0) : null;
}

/**
 * The first document as nodes whose scalars are all text, so that their type is ours to decide.
 * @throws {CdiError} SYNTAX or LIMIT, with line and column
 */
export function firstDocument(text: string, lines = new LineCounter()): Document.Parsed | undefined {
  const composer = new Composer({ version: '1.1', schema: 'failsafe', uniqueKeys: false, logLevel: 'silent' });
  failAtFirstError(composer, lines);
  try {
    let documents = 0;
    for (const token of new Parser(lines.addNewLine).parse(text)) {
      if (token.type === 'document' && ++documents > 1) break;
      if (token.type === 'error') fail(lines, token.offset, token.message);
      for (const document of composer.next(token)) return document;
    }
    for (const document of composer.end(false, text.length)) return document;
  } catch (cause) {
    if (cause instanceof RangeError) throw new CdiError('LIMIT', 'nested too deeply', { cause });
    throw cause;
  }
  return undefined;
}

/** The composer goes on after an error, and takes seconds to collect a hundred thousand of them. */
function failAtFirstError(composer: Composer, lines: LineCounter): void {
  const hooks = composer as unknown as {
    onError: (source: unknown, code: string, message: string, warning?: boolean) => void;
  };
  let failure: unknown;
  hooks.onError = (source, _, message, warning) => {
    if (warning) return;
    // The composer catches what is thrown and reports it once more, from further out.
    try {
      if (failure === undefined) fail(lines, offsetOf(source), message);
    } catch (error) {
      failure = error;
    }
    throw failure;
  };
}

function offsetOf(source: unknown): number {
  if (typeof source === 'number') return source;
  if (Array.isArray(source)) return Number(source[0]);
  return (source as { offset?: number }).offset ?? 0;
}

function fail(lines: LineCounter, offset: number, message: string): never {
  if (message.includes('call stack')) throw new CdiError('LIMIT', 'nested too deeply');
  const { line, col } = lines.linePos(offset);
  throw new CdiError('SYNTAX', `${message.split('\n')[0]?.slice(0, 200)} (line ${line}, column ${col})`);
}

/**
 * Upper bounds of what the parser will meet, found in one pass without recursion. Nesting: brackets open at once, and
 * the dashes that begin a line, since "- - - a" nests one level a dash. Separators: what can end a value or a key.
 * Those inside texts count as well, hence the generous limits.
 */
function measure(text: string): { nesting: number; separators: number } {
  let most = 0;
  let separators = 0;
  let open = 0;
  let dashes = 0;
  let isStart = true;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5b || code === 0x7b) most = Math.max(most, ++open);
    else if (code === 0x5d || code === 0x7d) open = Math.max(0, open - 1);
    if (code === 0x2c || code === 0x0a || code === 0x3a) separators++;
    if (code === 0x0a) {
      dashes = 0;
      isStart = true;
    } else if (isStart && (code === 0x2d || code === 0x3f)) most = Math.max(most, ++dashes);
    else if (code !== 0x20 && code !== 0x09) isStart = false;
  }
  return { nesting: most, separators };
}

class Reader {
  readonly #lines: LineCounter;
  readonly #anchors = new Map<string, { value: unknown } | 'open'>();
  #values = 0;

  constructor(lines: LineCounter) {
    this.#lines = lines;
  }

  read(node: unknown, depth: number): unknown {
    this.#count(node, depth);
    if (isAlias(node)) return this.#copy(this.#anchored(node.source, node), depth);
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) return null;
    const { anchor } = node;
    if (anchor) this.#anchors.set(anchor, 'open');
    const value = isScalar(node)
      ? this.#scalar(node)
      : isSeq(node)
        ? node.items.map((item) => this.read(item, depth + 1))
        : this.#map(node, depth);
    if (anchor) this.#anchors.set(anchor, { value });
    return value;
  }

  #scalar(node: Scalar): unknown {
    const source = String(node.value ?? '');
    const tag = node.tag?.replace('tag:yaml.org,2002:', '');
    switch (tag) {
      case undefined:
        return node.type === 'PLAIN' ? plainScalar(source) : source;
      case '!':
      case 'str':
        return source;
      case 'int':
      case 'float':
      case 'bool':
      case 'null':
        return plainScalar(source);
      default:
        return this.#fail(`tag ${quote(node.tag)} is not known here`, node);
    }
  }

  #map(node: { items: unknown[] }, depth: number): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    const merged: unknown[] = [];
    for (const pair of node.items) {
      if (!isPair(pair)) continue;
      if (isScalar(pair.key) && pair.key.type === 'PLAIN' && pair.key.value === '<<') {
        merged.push(this.read(pair.value, depth + 1));
        continue;
      }
      const key = this.read(pair.key, depth + 1);
      if (typeof key === 'object' && key !== null) this.#fail('a list or an object cannot be a member name', pair.key);
      const name = String(key);
      if (Object.hasOwn(result, name)) this.#fail(`duplicate member ${quote(name)}`, pair.key);
      define(result, name, this.read(pair.value, depth + 1));
    }
    for (const source of merged.flat()) {
      if (typeof source !== 'object' || source === null) this.#fail('"<<" takes an object or a list of them', node);
      for (const [name, value] of Object.entries(source as object)) {
        if (!Object.hasOwn(result, name)) define(result, name, value);
      }
    }
    return result;
  }

  #anchored(name: string, node: unknown): unknown {
    const anchor = this.#anchors.get(name);
    if (anchor === undefined) this.#fail(`alias ${quote(name)} has no anchor before it`, node);
    if (anchor === 'open') this.#fail(`alias ${quote(name)} is inside what it stands for`, node);
    return (anchor as { value: unknown }).value;
  }

  #copy(value: unknown, depth: number): unknown {
    if (typeof value !== 'object' || value === null) return value;
    const inner = (item: unknown) => {
      this.#count(undefined, depth);
      return this.#copy(item, depth + 1);
    };
    if (Array.isArray(value)) return value.map(inner);
    const result: Record<string, unknown> = {};
    for (const [name, item] of Object.entries(value)) define(result, name, inner(item));
    return result;
  }

  #count(node: unknown, depth: number): void {
    if (++this.#values > MAX_VALUES) throw new CdiError('LIMIT', `more than ${MAX_VALUES} values, aliases expanded`);
    if (depth > MAX_DEPTH) this.#fail(`nested more than ${MAX_DEPTH} levels deep`, node, 'LIMIT');
  }

  #fail(reason: string, node: unknown, code: 'SYNTAX' | 'LIMIT' = 'SYNTAX'): never {
    const range = (node as { range?: [number, number, number] } | undefined)?.range;
    const position = range && this.#lines.linePos(range[0]);
    throw new CdiError(code, position ? `${reason} (line ${position.line}, column ${position.col})` : reason);
  }
}

/** An own member even of the name `__proto__`. */
function define(object: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}
