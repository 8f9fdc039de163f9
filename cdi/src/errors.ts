/** What went wrong, for callers to match on. */
export type CdiErrorCode =
  /** A name, kind or annotation does not follow the rules for names. */
  | 'NAME'
  /** A container annotation cannot be read or added. */
  | 'ANNOTATION'
  /** A file is not JSON or YAML. */
  | 'SYNTAX'
  /** A file is larger, deeper or more repetitive than any honest one. */
  | 'LIMIT'
  /** A spec breaks a rule of CDI. */
  | 'INVALID'
  /** A directory or file cannot be read or written. */
  | 'IO'
  /** Two files of the same priority define the same device. */
  | 'CONFLICT'
  /** Devices asked for are not there: see `unresolved`. */
  | 'UNRESOLVED'
  /** The edits do not fit the host or the OCI spec. */
  | 'INJECT'
  /** A file of this name exists and was not to be overwritten. */
  | 'EXISTS';

/** Why one device could not be resolved. */
export interface Unresolved {
  /** As asked for. */
  device: string;
  reason: /** Not `vendor/class=device`. */
    | 'malformed'
    /** No loaded spec has this vendor and class. */
    | 'kind-absent'
    /** The kind is there, this device of it is not. */
    | 'device-absent'
    /** Defined twice at the same priority. */
    | 'conflict'
    /** A spec file that names this kind could not be loaded. */
    | 'file-invalid';
  /** Kinds there are, sorted. */
  kinds: string[];
  /** Devices of the kind, sorted; at most 32. */
  devices: string[];
  /** Names close to the one asked for, best first. */
  suggestions: string[];
  /** Errors of files that may be the cause. */
  causes: CdiError[];
}

export interface CdiErrorDetails {
  /** File or directory at fault. */
  file?: string;
  /** JSON path in the file, such as `$.devices[0].name`. */
  path?: string;
  /** Kind that the file at fault says it is about. */
  kind?: string;
  /** Devices it is about. */
  devices?: string[];
  unresolved?: Unresolved[];
  causes?: CdiError[];
  cause?: unknown;
}

/** Every error of this package. */
export class CdiError extends Error {
  override readonly name = 'CdiError';
  readonly code: CdiErrorCode;
  readonly file: string | undefined;
  readonly path: string | undefined;
  readonly kind: string | undefined;
  readonly devices: string[];
  readonly unresolved: Unresolved[];
  readonly causes: CdiError[];

  constructor(code: CdiErrorCode, message: string, details: CdiErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.file = details.file;
    this.path = details.path;
    this.kind = details.kind;
    this.devices = details.devices ?? [];
    this.unresolved = details.unresolved ?? [];
    this.causes = details.causes ?? [];
  }
}

/** Quotes a value for a message: on one line and short, whatever its size. */
export function quote(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  if (value === undefined) return 'nothing';
  if (typeof value === 'number') return String(value);
  return JSON.stringify(typeof value === 'string' && value.length > 80 ? `${value.slice(0, 77)}...` : value);
}

/** A name for a message: as it is when it is plausible, quoted and cut short when it is not. */
export function shorten(name: string): string {
  return /^[\x21-\x7e]{1,400}$/.test(name) ? name : quote(name);
}
