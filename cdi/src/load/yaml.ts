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
const MAX_VALUES = 500_000;
const MAX_DEPTH = 64;

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
  if (deepest(text) > MAX_DEPTH) throw new CdiError('LIMIT', `nested more than ${MAX_DEPTH} levels deep`);
  const lines = new LineCounter();
  const document = firstDocument(text, lines);
  if (!document) return null;
  const error = document.errors[0];
  if (error) {
    const { line, col } = lines.linePos(error.pos[0]);
    throw new CdiError('SYNTAX', `${error.message.split('\n')[0]} (line ${line}, column ${col})`, { cause: error });
  }
  return new Reader(lines).read(document.contents, 0);
}

/** The first document as nodes whose scalars are all text, so that their type is ours to decide. */
export function firstDocument(text: string, lines = new LineCounter()): Document.Parsed | undefined {
  const composer = new Composer({ version: '1.1', schema: 'failsafe', uniqueKeys: false, logLevel: 'silent' });
  try {
    for (const token of new Parser(lines.addNewLine).parse(text)) {
      for (const document of composer.next(token)) return document;
    }
    for (const document of composer.end(false, text.length)) return document;
  } catch (cause) {
    if (cause instanceof RangeError) throw new CdiError('LIMIT', 'nested too deeply', { cause });
    throw cause;
  }
  return undefined;
}

/** An upper bound of the nesting, found without recursion: open brackets, and the block structures of one line. */
function deepest(text: string): number {
  let most = 0;
  let open = 0;
  let onLine = 0;
  let lineStart = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x5b:
      case 0x7b:
        most = Math.max(most, ++open);
        break;
      case 0x5d:
      case 0x7d:
        open = Math.max(0, open - 1);
        break;
      case 0x0a:
        lineStart = at + 1;
        onLine = 0;
        break;
      case 0x2d:
      case 0x3f:
        // "- - - a" nests one level a dash.
        if (
          text
            .slice(lineStart, at)
            .trim()
            .replaceAll(/[-?\s]/g, '') === ''
        )
          most = Math.max(most, ++onLine);
        break;
    }
  }
  return most;
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
