import { formatAddress, parseAddress } from '@kata-mock/pci';
import type { AddressMap } from '../address-map.ts';
import { DeviceError } from '../errors.ts';
import type { SpecStep } from '../steps/steps.ts';

/** What happens to a variable whose address cannot be translated: `error` (default), or `warn` as Kata from 3.32 on. */
export type UntranslatedPolicy = 'error' | 'warn';

export interface EnvironmentOptions {
  readonly containerId: string;
  readonly untranslated: UntranslatedPolicy;
  warn(message: string): void;
}

type Replacement = readonly [text: string, guest: string];

const PREFIX = 'PCIDEVICE_';
const INFO = '_INFO';

/**
 * Plans the rewriting of `PCIDEVICE_<x>` (a list of host addresses) and of `PCIDEVICE_<x>_INFO` (JSON text about the
 * same devices). All replacements of one variable happen at once on its original text.
 */
export function planEnvironment(env: readonly string[], map: AddressMap, options: EnvironmentOptions): SpecStep[] {
  const variables = env.map(splitEntry);
  const steps: SpecStep[] = [];
  const replacementsByName = new Map<string, Replacement[]>();
  for (const [index, { name, value }] of variables.entries()) {
    if (!name.startsWith(PREFIX) || name.endsWith(INFO)) continue;
    const replacements = tolerate(options, () => translate(name, value, map, options.containerId));
    if (!replacements) continue;
    replacementsByName.set(name + INFO, replacements);
    steps.push(setEntry(index, name, replacements.map(([, guest]) => guest).join(','), 'host addresses'));
  }
  for (const [index, { name, value }] of variables.entries()) {
    const replacements = replacementsByName.get(name);
    if (replacements) steps.push(setEntry(index, name, replaceAll(value, replacements), 'host addresses in JSON'));
  }
  return steps.filter((step) => step.kind === 'set-env' && step.entry !== env[step.index]);
}

function splitEntry(entry: string): { name: string; value: string } {
  const at = entry.indexOf('=');
  if (at < 0) throw new DeviceError('MALFORMED_ENV', `Malformed OCI env entry ${JSON.stringify(entry)}`);
  return { name: entry.slice(0, at), value: entry.slice(at + 1) };
}

function translate(name: string, value: string, map: AddressMap, containerId: string): Replacement[] {
  return value.split(',').map((text) => {
    const host = canonical(name, text);
    if (map.size === 0) {
      const message = `No PCI mapping found for container ${containerId}: ${name} names ${text}`;
      throw new DeviceError('UNTRANSLATED_ADDRESS', message);
    }
    const guest = map.get(host);
    if (guest !== undefined) return [text, guest] as const;
    const known = [...map].map(([mapped]) => mapped).join(', ');
    const message = `Unable to translate host PCI address ${text} of ${name}; mapped: ${known}`;
    throw new DeviceError('UNTRANSLATED_ADDRESS', message);
  });
}

function canonical(name: string, text: string): string {
  try {
    return formatAddress(parseAddress(text));
  } catch (cause) {
    throw new DeviceError('MALFORMED_ENV', `variable ${name}: ${(cause as Error).message}`, { cause });
  }
}

function tolerate<T>(options: EnvironmentOptions, action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (options.untranslated !== 'warn' || !(error instanceof DeviceError)) throw error;
    options.warn(`${error.message}; left as it is`);
    return undefined;
  }
}

function replaceAll(text: string, replacements: readonly Replacement[]): string {
  const guests = new Map(replacements.map(([host, guest]) => [host.toLowerCase(), guest]));
  const hosts = [...guests.keys()].map((host) => host.replaceAll('.', '\\.'));
  // An address inside a longer run of hex digits is another address.
  const pattern = new RegExp(`(?<![0-9a-f:])(?:${hosts.join('|')})(?![0-9a-f])`, 'gi');
  return text.replace(pattern, (host) => guests.get(host.toLowerCase()) ?? host);
}

function setEntry(index: number, name: string, value: string, reason: string): SpecStep {
  return { kind: 'set-env', index, name, entry: `${name}=${value}`, reason };
}
