import { stringifyJson } from '@kata-mock/oci-spec';
import { formatSteps } from './load/decode.ts';

/** One difference between two values. */
export interface Difference {
  /** JSON path; devices and the like are named, not numbered, so that order does not count. */
  path: string;
  op: 'add' | 'remove' | 'replace';
  before?: unknown;
  after?: unknown;
}

/** What identifies the items of a list, so that they are compared with their like wherever they stand. */
const keys: Record<string, (item: Record<string, unknown>) => unknown> = {
  devices: (item) => item['name'] ?? item['path'],
  deviceNodes: (item) => item['path'],
  netDevices: (item) => item['hostInterfaceName'],
  mounts: (item) => item['containerPath'] ?? item['destination'],
};

/** Differences between two specs, in the order of the first and then of what is new. */
export function diff(before: unknown, after: unknown): Difference[] {
  const found: Difference[] = [];
  compare(before, after, [], found);
  return found;
}

function compare(before: unknown, after: unknown, path: (string | number)[], found: Difference[]): void {
  if (stringifyJson(before) === stringifyJson(after)) return;
  const place = formatSteps(path);
  if (before === undefined) found.push({ path: place, op: 'add', after });
  else if (after === undefined) found.push({ path: place, op: 'remove', before });
  else {
    const [left, right] = [asMembers(before, path), asMembers(after, path)];
    if ((!left || !right) && Array.isArray(before) && Array.isArray(after)) compareLists(before, after, path, found);
    else if (!left || !right) found.push({ path: place, op: 'replace', before, after });
    else
      for (const name of new Set([...left.keys(), ...right.keys()]))
        compare(left.get(name), right.get(name), [...path, name], found);
  }
}

/** Lists whose items have no names: what is between the same beginning and the same end. */
function compareLists(before: unknown[], after: unknown[], path: (string | number)[], found: Difference[]): void {
  const [left, right] = [before.map((item) => stringifyJson(item)), after.map((item) => stringifyJson(item))];
  let start = 0;
  while (start < Math.min(left.length, right.length) && left[start] === right[start]) start++;
  let end = 0;
  while (end < Math.min(left.length, right.length) - start && left.at(-1 - end) === right.at(-1 - end)) end++;
  for (let index = start; index < before.length - end; index++) {
    found.push({ path: formatSteps([...path, index]), op: 'remove', before: before[index] });
  }
  for (let index = start; index < after.length - end; index++) {
    found.push({ path: formatSteps([...path, index]), op: 'add', after: after[index] });
  }
}

/** Members of an object, or of a list whose items have names of their own. */
function asMembers(value: unknown, path: (string | number)[]): Map<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!Array.isArray(value)) return new Map(Object.entries(value));
  const key = keys[String(path.at(-1))];
  const names = value.map((item) => (key && typeof item === 'object' && item !== null ? key(item) : undefined));
  if (names.some((name) => typeof name !== 'string') || new Set(names).size < names.length) return undefined;
  return new Map(value.map((item, index) => [names[index] as string, item]));
}
