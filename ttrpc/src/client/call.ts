import type { TtrpcError } from '../errors.ts';
import type { MetadataInit } from '../metadata.ts';
import { deadlines } from '../stream/deadlines.ts';
import { canceled, deadlineExceeded } from '../stream/failures.ts';

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

/** What ends a call early, while it may. */
export interface Guard {
  stop(): void;
}

/** Ends a call at its deadline or when its signal aborts; undefined if it has neither. */
export function guard(options: CallOptions, fail: (error: TtrpcError) => void): Guard | undefined {
  const { timeoutMs, signal } = options;
  const deadline = timeoutMs === undefined ? undefined : deadlines.start(timeoutMs, () => fail(deadlineExceeded()));
  if (signal === undefined) return deadline;
  const aborted = () => fail(canceled(signal.reason));
  signal.addEventListener('abort', aborted, { once: true });
  return {
    stop() {
      deadline?.stop();
      signal.removeEventListener('abort', aborted);
    },
  };
}
