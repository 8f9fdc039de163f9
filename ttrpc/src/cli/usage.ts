/** A command line that makes no sense: exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'USAGE';
}

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of `500ms`, `1.5s`, `2m`, `1h`; a bare number is seconds. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
  if (match === null) throw new UsageError(`duration ${JSON.stringify(text)}: write it like 500ms, 1.5s or 2m`);
  return Number(match[1]) * UNITS[match[2] ?? 's']!;
}

/** Key and value of `key: value` or `key=value`. */
export function parseHeader(text: string): [key: string, value: string] {
  const match = /^([^:=\s]+)\s*[:=]\s*(.*)$/s.exec(text);
  if (match === null) throw new UsageError(`metadata ${JSON.stringify(text)}: write it like "key: value"`);
  return [match[1]!, match[2]!];
}
