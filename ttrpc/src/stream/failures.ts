import { Code } from '../code.ts';
import { TtrpcError } from '../errors.ts';
import { oversizeMessage } from '../protocol/frame.ts';

/** How calls end that both sides may end, in the words of the Go implementation where it has some. */

export function deadlineExceeded(): TtrpcError {
  return new TtrpcError(Code.DEADLINE_EXCEEDED, 'context deadline exceeded');
}

export function canceled(reason: unknown): TtrpcError {
  return new TtrpcError(Code.CANCELED, 'context canceled', { cause: reason });
}

/** A reader that does not keep up: the limit is an option of the connection and of the server. */
export function streamFull(): TtrpcError {
  const way = 'its reader does not keep up (read faster, or raise streamBufferBytes)';
  return new TtrpcError(Code.RESOURCE_EXHAUSTED, `ttrpc: stream buffer full: ${way}`);
}

export function tooLong(length: number, limit: number): TtrpcError {
  return new TtrpcError(Code.RESOURCE_EXHAUSTED, oversizeMessage(length, limit));
}
