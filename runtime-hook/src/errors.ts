/**
 * The one error of this package. Callers match on `code`; the message quotes the input and gives the reason,
 * `hint` the way out.
 */
export type KataMockErrorCode =
  /** The command line or a device spec is wrong; exit code 2. */
  | 'USAGE'
  /** A file the user named is missing or broken (bundle, config.json, image, configuration). */
  | 'BAD_INPUT'
  /** Something asked for is over the limits of /etc/kata-mock/config.toml. */
  | 'POLICY'
  /** A name, host address or UUID is taken. */
  | 'IN_USE'
  /** A named sandbox, container or device does not exist. */
  | 'NOT_FOUND'
  /** This host lacks a program, device or space. */
  | 'HOST'
  /** QEMU, virtiofsd or the device host failed or ended early. */
  | 'VM'
  /** The agent refused a call or did not answer. */
  | 'AGENT'
  /** Stopped on request (signal). */
  | 'INTERRUPTED';

export interface KataMockErrorOptions {
  /** What the reader can do about it; printed on its own line. */
  hint?: string | undefined;
  cause?: unknown;
}

export class KataMockError extends Error {
  override readonly name = 'KataMockError';
  readonly code: KataMockErrorCode;
  readonly hint: string | undefined;

  constructor(code: KataMockErrorCode, message: string, options: KataMockErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }

  /** Exit code of a program that ends with this error: 2 for wrong usage, else 1. */
  get exitCode(): 1 | 2 {
    return this.code === 'USAGE' ? 2 : 1;
  }
}

export function isKataMockError(error: unknown, code?: KataMockErrorCode): error is KataMockError {
  return error instanceof KataMockError && (code === undefined || error.code === code);
}
