/** What went wrong, for callers to match on. */
export type SpecErrorCode =
  /** Not JSON, or not UTF-8. */
  | 'SYNTAX'
  /** JSON, but past a limit of depth or size. */
  | 'LIMIT'
  /** Valid JSON that is not a valid spec. */
  | 'INVALID'
  /** An edit does not fit the spec it is applied to. */
  | 'EDIT';

/** Every error of this package. `path` is a JSON path such as `$.linux.devices[0].major`; `$` is the whole document. */
export class SpecError extends Error {
  override readonly name = 'SpecError';
  readonly code: SpecErrorCode;
  readonly path: string;

  constructor(code: SpecErrorCode, path: string, reason: string, options?: ErrorOptions) {
    super(path === '$' ? reason : `${path}: ${reason}`, options);
    this.code = code;
    this.path = path;
  }
}

/** Quotes a value for a message: short, whatever its size. */
export function quote(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  if (value === undefined) return 'nothing';
  const text = typeof value === 'string' && value.length > 80 ? `${value.slice(0, 77)}...` : value;
  return JSON.stringify(text);
}
