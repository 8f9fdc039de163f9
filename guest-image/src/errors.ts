export type SetupErrorCode =
  | 'USAGE'
  | 'MISSING_PROGRAM'
  | 'MISSING_PACKAGES'
  | 'MISSING_BUNDLE'
  | 'MIRROR_UNKNOWN'
  | 'COMMAND_FAILED'
  | 'BAD_KERNEL'
  | 'BAD_ARCHIVE';

/** Everything this program refuses or fails at; `code` is stable, the message names the reason and the way out. */
export class SetupError extends Error {
  readonly code: SetupErrorCode;

  constructor(code: SetupErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SetupError';
    this.code = code;
  }
}
