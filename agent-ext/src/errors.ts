/** What a caller did or met; callers match on this and never on the text. */
export type AgentErrorCode =
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'FAILED_PRECONDITION'
  | 'UNIMPLEMENTED'
  /** A stream is at its end. Kata's shims stop reading at any error, so it is one. */
  | 'END_OF_STREAM'
  | 'INTERNAL';

/** Every error the agent throws on purpose. Messages quote the input and say the way out. */
export class AgentError extends Error {
  override readonly name = 'AgentError';
  readonly code: AgentErrorCode;

  constructor(code: AgentErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
