import { CdiError, quote } from '../errors.ts';

/**
 * What a decoder knows besides the value: where it is, for messages, and what the quick check for duplicate members
 * counts on the way (see json.ts).
 */
export class Context {
  readonly path: (string | number)[] = [];
  /** Members of the objects seen so far. */
  members = 0;
  /** Colons inside the names and texts seen so far. */
  colons = 0;

  fail(reason: string): never {
    throw new CdiError('INVALID', reason, { path: formatSteps(this.path) });
  }
}

/** Checks a value of a parsed file and gives what the spec holds in its place, most often the value itself. */
export type Decoder = (value: unknown, context: Context) => unknown;

/** Text; numbers and booleans become text, since YAML writes `name: 0` without meaning a number. */
export const text: Decoder = (value, context) => {
  if (typeof value === 'string') {
    for (let at = value.indexOf(':'); at >= 0; at = value.indexOf(':', at + 1)) context.colons++;
    return value;
  }
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  // Beyond 2^53 it has been rounded: the exact parser gives a bigint instead.
  if (typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER) return String(value);
  if (value === null) return '';
  return context.fail(`must be text, found ${quote(value)}`);
};

export const flag: Decoder = (value, context) =>
  typeof value === 'boolean' ? value : context.fail(`must be true or false, found ${quote(value)}`);

export function integer(least: bigint, most: bigint): Decoder {
  const [low, high] = [Number(least), Number(most)];
  return (value, context) => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= low && value <= high) return value;
    if (typeof value === 'bigint' && value >= least && value <= most) return value;
    return context.fail(`must be an integer from ${least} to ${most}, found ${quote(value)}`);
  };
}

export const uint32 = integer(0n, 2n ** 32n - 1n);
export const int32 = integer(-(2n ** 31n), 2n ** 31n - 1n);
export const int64 = integer(-(2n ** 63n), 2n ** 63n - 1n);

export function list(item: Decoder): Decoder {
  return (value, context) => {
    if (!Array.isArray(value)) return context.fail(`must be a list, found ${quote(value)}`);
    const { path } = context;
    const depth = path.length;
    for (let index = 0; index < value.length; index++) {
      path[depth] = index;
      const found = value[index];
      const decoded = item(found, context);
      if (decoded !== found) value[index] = decoded;
    }
    path.length = depth;
    return value;
  };
}

/** Names and texts of any kind. */
export const textMap: Decoder = (value, context) => {
  if (!isObject(value)) return context.fail(`must be an object, found ${quote(value)}`);
  const { path } = context;
  const depth = path.length;
  for (const name of Object.keys(value)) {
    path[depth] = name;
    context.members++;
    text(name, context);
    const found = value[name];
    const decoded = text(found, context);
    if (decoded !== found) value[name] = decoded;
  }
  path.length = depth;
  return value;
};

/**
 * An object with these members and no others. `null` counts as absent. Names differ in case at most, as the reference
 * has it; the object gets them as they are spelt here.
 */
export function struct(members: Record<string, Decoder>, required: readonly string[] = []): Decoder {
  const decoders = new Map(Object.entries(members));
  const spelling = new Map(Object.keys(members).map((name) => [name.toLowerCase(), name]));
  return (value, context) => {
    if (!isObject(value)) return context.fail(`must be an object, found ${quote(value)}`);
    const { path } = context;
    const depth = path.length;
    for (const name of Object.keys(value)) {
      context.members++;
      let member = name;
      let decoder = decoders.get(name);
      if (!decoder) {
        path.length = depth;
        member = spelling.get(name.toLowerCase()) ?? context.fail(unknownMember(name, [...decoders.keys()]));
        if (Object.hasOwn(value, member))
          context.fail(`${quote(name)} and ${quote(member)} are the same member, given twice`);
        value[member] = value[name];
        delete value[name];
        decoder = decoders.get(member) as Decoder;
      }
      const found = value[member];
      if (found === null) {
        delete value[member];
        continue;
      }
      path[depth] = member;
      const decoded = decoder(found, context);
      if (decoded !== found) value[member] = decoded;
    }
    path.length = depth;
    for (const name of required) if (value[name] === undefined) context.fail(`${quote(name)} is missing`);
    return value;
  };
}

function unknownMember(name: string, known: string[]): string {
  const removed = /^enable(cmt|mbm)$/i.test(name) ? '; it was removed in CDI 1.1.0, use "enableMonitoring"' : '';
  return `unknown member ${quote(name)}${removed || `; known are ${known.join(', ')}`}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `['devices', 0, 'name']` as `$.devices[0].name`. */
export function formatSteps(path: readonly (string | number)[]): string {
  let result = '$';
  for (const step of path) {
    if (typeof step === 'number') result += `[${step}]`;
    else if (/^\w+$/.test(step) && step.length <= 80) result += `.${step}`;
    else result += `[${quote(step)}]`;
  }
  return result;
}
