import type { Any } from '@bufbuild/protobuf/wkt';
import { Code, codeName } from './code.ts';

export interface TtrpcErrorOptions {
  /** Typed details that travel with the status. */
  details?: Any[];
  cause?: unknown;
}

/**
 * The one error of this package: a status code, a message and details, as they travel on the wire.
 * A handler throws it to choose what its caller sees; a client gets it for every failed call.
 */
export class TtrpcError extends Error {
  override readonly name = 'TtrpcError';
  /** Status code of gRPC. Match on this, not on the message. */
  readonly code: Code;
  readonly details: Any[];

  constructor(code: Code, message: string, options: TtrpcErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.details = options.details ?? [];
  }

  /** Name of the code, e.g. `NOT_FOUND`. */
  get codeName(): string {
    return codeName(this.code);
  }

  override toString(): string {
    return `TtrpcError [${this.codeName}]: ${this.message}`;
  }

  /** The error as it is, or wrapped with the code that fits it best (the table is in PROTOCOL.md). */
  static from(error: unknown): TtrpcError {
    if (error instanceof TtrpcError) return error;
    if (!(error instanceof Error)) return new TtrpcError(Code.UNKNOWN, String(error), { cause: error });
    return new TtrpcError(codeOf(error), error.message, { cause: error });
  }
}

/** Codes for the errors Node itself throws, after what the Go server does with its standard errors. */
const codesOfNode: Record<string, Code> = {
  ENOENT: Code.NOT_FOUND,
  EEXIST: Code.ALREADY_EXISTS,
  EACCES: Code.PERMISSION_DENIED,
  EPERM: Code.PERMISSION_DENIED,
  EINVAL: Code.INVALID_ARGUMENT,
  EPIPE: Code.FAILED_PRECONDITION,
};

function codeOf(error: Error): Code {
  if (error.name === 'AbortError') return Code.CANCELED;
  if (error.name === 'TimeoutError') return Code.DEADLINE_EXCEEDED;
  const code = (error as NodeJS.ErrnoException).code;
  return (typeof code === 'string' && codesOfNode[code]) || Code.UNKNOWN;
}
