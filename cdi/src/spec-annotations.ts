import { quote } from './errors.ts';

const MAX_TOTAL_BYTES = 262_144;

/**
 * What is wrong with the annotations of a spec or device, by Kubernetes' rules: `[domain/]name`, the domain a DNS name of
 * at most 253 bytes, the name at most 63; 256 KiB for all keys and values.
 */
export function annotationsFault(annotations: Readonly<Record<string, string>>): string | undefined {
  let total = 0;
  for (const [key, value] of Object.entries(annotations)) {
    const fault = keyFault(key);
    if (fault) return `invalid annotation key ${quote(key)}: ${fault}`;
    total += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  return total > MAX_TOTAL_BYTES ? `annotations of ${total} bytes, ${MAX_TOTAL_BYTES} at most` : undefined;
}

function keyFault(key: string): string | undefined {
  // Keys are compared in lower case, names are not.
  const parts = key.toLowerCase().split('/');
  const [name = '', domain] = parts.reverse();
  if (parts.length > 2) return 'more than one "/"';
  if (domain !== undefined) {
    if (domain === '') return 'nothing before the "/"';
    if (domain.length > 253) return 'more than 253 characters before the "/"';
    const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
    if (!new RegExp(`^${label}(\\.${label})*$`).test(domain)) return 'what is before the "/" must be a DNS name';
  }
  if (name === '') return 'the name is empty';
  if (name.length > 63) return 'a name of more than 63 characters';
  if (!/^[a-z0-9]([-a-z0-9_.]*[a-z0-9])?$/.test(name)) {
    return 'the name must be letters, digits, "-", "_" and ".", with a letter or digit at both ends';
  }
  return undefined;
}
