import { closeAll } from '@kata-mock/posix';
import { type Frame, HeaderFlag, protocolError } from '../protocol/index.ts';

const NONE: readonly number[] = [];

/**
 * Descriptors that go out with one reply and no other: a number that was closed meanwhile may be another client's memory
 * by the time the next reply is sent.
 */
export class ReplyDescriptors {
  #fds: readonly number[] = NONE;
  #given: readonly number[] = NONE;

  get fds(): readonly number[] {
    return this.#fds;
  }

  /** Sends descriptors that stay their owner's. */
  lend(fds: readonly number[]): void {
    this.#fds = fds;
  }

  /** Sends one that is nobody else's: closed by {@link clear}, whether it was sent or not. */
  give(fd: number): void {
    this.#given = [fd];
    this.#fds = this.#given;
  }

  /** The reply is an error: nothing goes with it. */
  withhold(): void {
    this.#fds = NONE;
  }

  /** Once the reply is out, or could not be sent, or nobody wanted it. */
  clear(): void {
    if (this.#fds === NONE && this.#given === NONE) return;
    const given = this.#given;
    this.#fds = NONE;
    this.#given = NONE;
    closeAll(given);
  }
}

/** Refuses a command whose answer has descriptors, or tells of some, to a client that wants no answer. */
export function requireReply(frame: Frame, name: string): void {
  if ((frame.flags & HeaderFlag.NO_REPLY) !== 0) throw protocolError(`${name} without a reply`);
}
