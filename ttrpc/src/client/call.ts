import { Code } from '../code.ts';
import { TtrpcError } from '../errors.ts';
import type { MetadataInit } from '../metadata.ts';

/** What a caller may say about one call. */
export interface CallOptions {
  /** Milliseconds until the call fails with DEADLINE_EXCEEDED, here and at the server. Default: none. */
  timeoutMs?: number | undefined;
  /** Ends the call with CANCELED when aborted. The server is not told: the protocol has no frame for that. */
  signal?: AbortSignal | undefined;
  /** Sent with the request, for streams too. */
  metadata?: MetadataInit | undefined;
}

/** A call in flight, as its connection sees it. */
export interface PendingCall {
  /** A response frame: the end of the call. */
  response(body: Uint8Array): void;
  data(flags: number, body: Uint8Array): void;
  /** The call is over without a response. */
  fail(error: TtrpcError): void;
}

/** Longest time one timer of Node can run. */
const MAX_TIMER = 2 ** 31 - 1;

/** Runs `expired` after any number of milliseconds; returns what stops that. */
export function startDeadline(timeoutMs: number, expired: () => void): () => void {
  const end = performance.now() + timeoutMs;
  let timer: NodeJS.Timeout;
  const arm = (rest: number) => {
    timer = setTimeout(() => (rest > MAX_TIMER ? arm(end - performance.now()) : expired()), Math.min(rest, MAX_TIMER));
  };
  arm(Math.max(0, timeoutMs));
  return () => clearTimeout(timer);
}

/** Ends a call at its deadline or when its signal aborts. Returns what disarms both, undefined if there is neither. */
export function arm(options: CallOptions, fail: (error: TtrpcError) => void): (() => void) | undefined {
  const { timeoutMs, signal } = options;
  if (timeoutMs === undefined && signal === undefined) return undefined;
  const stop = timeoutMs === undefined ? undefined : startDeadline(timeoutMs, () => fail(deadlineExceeded()));
  if (signal === undefined) return stop;
  const aborted = () => fail(canceled(signal.reason));
  signal.addEventListener('abort', aborted, { once: true });
  return () => {
    stop?.();
    signal.removeEventListener('abort', aborted);
  };
}

/** In the words of the Go implementation, which callers may match on. */
export function deadlineExceeded(): TtrpcError {
  return new TtrpcError(Code.DEADLINE_EXCEEDED, 'context deadline exceeded');
}

export function canceled(reason: unknown): TtrpcError {
  return new TtrpcError(Code.CANCELED, 'context canceled', { cause: reason });
}
