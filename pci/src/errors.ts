/** What went wrong; callers match on this and never on the text. */
export type PciErrorCode =
  | 'INVALID_ADDRESS'
  | 'INVALID_SLOT_FUNCTION'
  | 'INVALID_PATH'
  | 'INVALID_ROOT_COMPLEX'
  | 'ROOT_BUS_NOT_FOUND'
  | 'BUS_NOT_FOUND'
  | 'NOT_UTF8'
  | 'INVALID_TREE';

/** Every error this package throws. The message quotes the input; a wrapped error has the inner one as `cause` and in its text. */
export class PciError extends Error {
  override readonly name = 'PciError';
  readonly code: PciErrorCode;

  constructor(code: PciErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  /** Puts the context a caller has in front of an inner failure and keeps its code. */
  static wrap(context: string, cause: unknown, fallback: PciErrorCode): PciError {
    const text = cause instanceof Error ? cause.message : String(cause);
    const code = cause instanceof PciError ? cause.code : fallback;
    return new PciError(code, `${context}: ${text}`, { cause });
  }
}
