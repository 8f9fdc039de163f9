import { readFileSync, statSync } from 'node:fs';
import { KataMockError } from '../errors.ts';

/** Longest config.json that is read, bytes. */
const longest = 16 << 20;

/**
 * Annotations of the sandbox, from the OCI bundle the VM is started in. No config.json means none: a VM may be started
 * for other ends (VM factory). What is there must be readable.
 */
export function sandboxAnnotations(bundle: string): Record<string, string> {
  const file = `${bundle}/config.json`;
  let text: string;
  try {
    const { size } = statSync(file);
    if (size > longest) throw new KataMockError('BAD_INPUT', `${file} is longer than ${longest} bytes`);
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return {};
    if (cause instanceof KataMockError) throw cause;
    throw new KataMockError('BAD_INPUT', `cannot read ${file}: ${(cause as Error).message}`, { cause });
  }
  let annotations: unknown;
  try {
    annotations = (JSON.parse(text) as { annotations?: unknown } | null)?.annotations ?? {};
  } catch (cause) {
    throw new KataMockError('BAD_INPUT', `${file} is not JSON: ${(cause as Error).message}`, { cause });
  }
  const entries = typeof annotations === 'object' && annotations !== null ? Object.entries(annotations) : [];
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}
