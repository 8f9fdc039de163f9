import { quote, SpecError } from '../errors.ts';
import { copyJson } from '../json/copy.ts';
import { formatPath, type Path } from '../json/path.ts';
import type { Spec } from '../types/index.ts';

/** One change an editor made, in the order made. */
export interface Change {
  op: 'add' | 'replace' | 'remove' | 'reorder';
  /** JSON path at the time of the change, such as `$.process.env[3]`. */
  path: string;
  /** The value that was there; not for `add` and `reorder`. */
  before?: unknown;
  /** The value that is there now; not for `remove` and `reorder`. */
  after?: unknown;
  /** Who asked for it, as set by `SpecEditor.attribute`. */
  source?: string;
}

type Container = Record<string | number, unknown>;

/** The copy being edited and what happened to it: the one place that writes to a spec. */
export class Draft {
  #root: Spec;
  #changes: Change[] = [];
  source: string | undefined;

  constructor(spec: Spec) {
    if (typeof spec !== 'object' || spec === null || Array.isArray(spec)) {
      throw new SpecError('INVALID', '$', 'an OCI spec is a JSON object');
    }
    this.#root = copyJson(spec);
  }

  get root(): Spec {
    return this.#root;
  }

  get changes(): readonly Change[] {
    return this.#changes;
  }

  /** Runs `edit`; when it throws, the draft is as before. */
  transaction<T>(edit: () => T): T {
    const root = copyJson(this.#root);
    const count = this.#changes.length;
    try {
      return edit();
    } catch (error) {
      this.#root = root;
      this.#changes.length = count;
      throw error;
    }
  }

  /** The value at a path; undefined when any step is absent. */
  get(path: Path): unknown {
    let value: unknown = this.#root;
    for (const step of path) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
      value = (value as Container)[step];
    }
    return value;
  }

  /** The array at a path, or undefined when there is none (null counts as none, as in Go). */
  list<T>(path: Path): T[] | undefined {
    const value = this.get(path) ?? undefined;
    if (value !== undefined && !Array.isArray(value)) throw wrongType(path, 'an array', value);
    return value as T[] | undefined;
  }

  /** Sets a member or an element; objects on the way are made, `undefined` removes. */
  set(path: Path, value: unknown): void {
    const step = path[path.length - 1];
    if (step === undefined) throw new SpecError('EDIT', '$', 'the whole document cannot be replaced');
    if (value === undefined) {
      this.remove(path);
      return;
    }
    const container = this.#container(path);
    const isNew = !Object.hasOwn(container, step);
    const before = container[step];
    if (step === '__proto__') throw new SpecError('EDIT', formatPath(path), 'a member of this name cannot be set');
    container[step] = value;
    this.#record(
      isNew
        ? { op: 'add', path: formatPath(path), after: value }
        : { op: 'replace', path: formatPath(path), before, after: value },
    );
  }

  /** Removes a member or an element; elements behind it move up. */
  remove(path: Path): void {
    const step = path[path.length - 1];
    if (step === undefined) throw new SpecError('EDIT', '$', 'the whole document cannot be removed');
    const container = this.get(path.slice(0, -1));
    if (typeof container !== 'object' || container === null || !Object.hasOwn(container, step)) return;
    const before = (container as Container)[step];
    if (Array.isArray(container)) container.splice(Number(step), 1);
    else delete (container as Container)[step];
    this.#record({ op: 'remove', path: formatPath(path), before });
  }

  /** Adds an element at the end, or before `index`. */
  insert(path: Path, value: unknown, index?: number): void {
    let list = this.list<unknown>(path);
    if (!list) {
      list = [];
      const step = path[path.length - 1];
      if (step === undefined) throw new SpecError('EDIT', '$', 'the whole document is not an array');
      this.#container(path)[step] = list;
    }
    const at = index ?? list.length;
    list.splice(at, 0, value);
    this.#record({ op: 'add', path: formatPath([...path, at]), after: value });
  }

  /** Sorts an array stably; says so only when that moved anything. */
  sort<T>(path: Path, compare: (a: T, b: T) => number): void {
    const list = this.list<T>(path);
    if (!list) return;
    const before = [...list];
    list.sort(compare);
    if (list.some((item, index) => item !== before[index])) this.#record({ op: 'reorder', path: formatPath(path) });
  }

  #container(path: Path): Container {
    let container = this.#root as unknown as Container;
    for (let depth = 0; depth < path.length - 1; depth++) {
      const step = path[depth] as string | number;
      let next = Object.hasOwn(container, step) ? container[step] : undefined;
      if (next === undefined || next === null) {
        next = {};
        container[step] = next;
      }
      if (typeof next !== 'object') throw wrongType(path.slice(0, depth + 1), 'an object', next);
      container = next as Container;
    }
    const last = path[path.length - 1];
    if (Array.isArray(container) && typeof last !== 'number')
      throw wrongType(path.slice(0, -1), 'an object', container);
    return container;
  }

  #record(change: Change): void {
    if (this.source !== undefined) change.source = this.source;
    this.#changes.push(change);
  }
}

function wrongType(path: Path, expected: string, found: unknown): SpecError {
  return new SpecError('EDIT', formatPath(path), `must be ${expected} to be edited, found ${quote(found)}`);
}
