/** Why something failed; stable, callers match on it. */
export type VfioUserErrorCode =
  /** A message broke the protocol; `errno` is what the peer is told. */
  | 'PROTOCOL'
  /** The peer answered with an error; `errno` is its number. */
  | 'REPLY'
  /** The connection ended. */
  | 'DISCONNECTED'
  /** No reply within the deadline. */
  | 'TIMEOUT'
  /** A device refused an access or a command; `errno` is what the peer is told. */
  | 'DEVICE'
  /** DMA to an address that is not mapped, or not with that permission. */
  | 'DMA'
  /** A device description, option, profile or fault is invalid. */
  | 'INVALID_OPTION'
  /** A register book is invalid. */
  | 'BOOK_INVALID'
  /** No function, model or profile of that name. */
  | 'NOT_FOUND'
  /** A recorded session differs from what the model does. */
  | 'REPLAY_DIFFERS'
  /** A trace ended by itself: its file could take no more. */
  | 'TRACE';

/** The error class of this package. */
export class VfioUserError extends Error {
  override readonly name = 'VfioUserError';
  readonly code: VfioUserErrorCode;
  /** Positive Linux errno where one travels on the wire, else 0. */
  readonly errno: number;

  constructor(code: VfioUserErrorCode, message: string, options: { errno?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.errno = options.errno ?? 0;
  }
}

/**
 * What a log line says of an error: its reason and, where it is not one of ours but a mistake in the code of a device, the
 * place.
 */
export function describeFailure(error: unknown): { reason: string; at?: string } {
  if (!(error instanceof Error)) return { reason: String(error) };
  // By name: an error of another thread is a copy.
  const at = error.name === 'VfioUserError' ? undefined : /^ +at (.+)$/m.exec(error.stack ?? '')?.[1];
  return { reason: error.message, ...(at !== undefined && { at }) };
}
