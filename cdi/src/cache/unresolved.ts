import { CdiError, shorten, type Unresolved } from '../errors.ts';
import { isQualifiedName, splitQualifiedName } from '../names.ts';
import { suggest } from '../suggest.ts';
import type { CdiDevice } from './device.ts';

/** What there is, to explain what is not. */
export interface Inventory {
  names: readonly string[];
  conflict(name: string): CdiDevice[] | undefined;
  errors: CdiError[];
}

const MAX_LISTED = 32;

/** The error for devices that could not be resolved: for each the reason, what there is, and what may have been meant. */
export function unresolvedError(asked: readonly string[], inventory: Inventory): CdiError {
  const unresolved = [...new Set(asked)].map((device) => explain(device, inventory));
  const lines = unresolved.map((entry) => `${shorten(entry.device)}: ${sentence(entry)}`);
  const causes = [...new Set(unresolved.flatMap((entry) => entry.causes))];
  return new CdiError(
    'UNRESOLVED',
    `unresolvable CDI devices ${asked.map(shorten).join(', ')}\n  ${lines.join('\n  ')}`,
    {
      devices: [...asked],
      unresolved,
      causes,
    },
  );
}

function explain(device: string, { names, conflict, errors }: Inventory): Unresolved {
  const kinds = [...new Set(names.map(kindOf))];
  const kind = kindOf(device);
  const siblings = names.filter((name) => name.startsWith(`${kind}=`));
  const base = { device, kinds, devices: siblings.slice(0, MAX_LISTED), causes: [] as CdiError[] };
  if (!isQualifiedName(device)) {
    const exact = kinds.map((known) => `${known}=${device}`).filter((name) => names.includes(name));
    const meant = exact.length > 0 ? exact.slice(0, 3) : suggest(device, names);
    return { ...base, reason: 'malformed', suggestions: meant };
  }
  if (conflict(device)) {
    const causes = errors.filter((error) => error.code === 'CONFLICT' && error.devices.includes(device));
    return { ...base, reason: 'conflict', suggestions: [], causes };
  }
  const failed = errors.filter((error) => error.code !== 'CONFLICT');
  const sameKind = failed.filter((error) => error.kind === kind);
  if (sameKind.length > 0) {
    return { ...base, reason: 'file-invalid', suggestions: suggest(device, siblings), causes: sameKind };
  }
  if (siblings.length > 0) return { ...base, reason: 'device-absent', suggestions: suggest(device, siblings) };
  return { ...base, reason: 'kind-absent', suggestions: suggest(device, names), causes: failed };
}

function kindOf(name: string): string {
  const { vendor, class: kindClass } = splitQualifiedName(name);
  return `${vendor}/${kindClass}`;
}

function sentence({ device, reason, kinds, devices, suggestions, causes }: Unresolved): string {
  const meant = suggestions.length > 0 ? `; did you mean ${suggestions.join(' or ')}?` : '';
  const because = causes.map((error) => `; ${error.message}`).join('');
  switch (reason) {
    case 'malformed':
      return `not a qualified name, which is vendor/class=device${meant}`;
    case 'conflict':
      return `defined more than once${because}`;
    case 'file-invalid':
      return `a spec file of kind ${shorten(kindOf(device))} is invalid${because}${meant}`;
    case 'device-absent':
      return `kind ${kindOf(device)} is present, the device is not; devices present: ${devices.join(', ')}${meant}`;
    case 'kind-absent':
      return `${kinds.length > 0 ? `kinds present: ${kinds.join(', ')}` : 'no CDI device is present'}${meant}${because}`;
  }
}
