import type { Frame } from '../../protocol/index.ts';
import type { Session } from '../session.ts';

/**
 * Carries out one command. Writes the reply's payload behind the header space of `session.reply` and returns its bytes;
 * throws a VfioUserError with an errno for an error reply. Takes descriptors it keeps out of `frame.fds`.
 */
export type Handler = (session: Session, frame: Frame) => number;
