import { cdiKind } from '@kata-mock/contracts';
import { KataMockError } from '../errors.ts';
import { type DeviceSpec, defaultModel } from './device-spec.ts';
import { quote } from './quote.ts';

/** Annotations that ask for CDI devices. */
const prefix = 'cdi.k8s.io/';

/** Names within our kind that a sandbox's CDI annotations ask for, each once, in order. Other kinds are not ours. */
export function cdiNames(annotations: Readonly<Record<string, string>>): string[] {
  const names = Object.entries(annotations)
    .filter(([key]) => key.startsWith(prefix))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, value]) => value.split(','))
    .map((name) => name.trim())
    .filter((name) => name.startsWith(`${cdiKind}=`));
  return [...new Set(names)].map((name) => name.slice(cdiKind.length + 1));
}

/**
 * What these names stand for. Entries `[[cdi]]` of config.toml say what a name is, and then no other names exist;
 * without any, a number is a plain device and a UUID a device with that UUID.
 */
export function devicesOfCdiNames(names: readonly string[], catalogue: readonly DeviceSpec[]): DeviceSpec[] {
  if (names.includes('all') && catalogue.length > 0) return [...catalogue];
  return names.map((name) => {
    const known = catalogue.find((entry) => entry.name === name || entry.uuid === name.toLowerCase());
    if (known) return known;
    if (catalogue.length === 0 && /^[0-9]{1,3}$/.test(name)) return plain({ name });
    if (catalogue.length === 0 && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(name)) {
      return plain({ uuid: name.toLowerCase() });
    }
    const names = catalogue.map((entry) => entry.name).join(', ');
    throw new KataMockError('USAGE', `CDI device ${quote(`${cdiKind}=${name}`)} is not known to this host`, {
      hint:
        catalogue.length > 0
          ? `names: ${names}, all`
          : 'use a number or a UUID, or describe the device in a [[cdi]] entry of config.toml',
    });
  });
}

function plain(keys: Partial<DeviceSpec>): DeviceSpec {
  return { model: defaultModel, count: 1, ...keys };
}
