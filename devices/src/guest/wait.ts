import type { Guest } from './guest.ts';

/** How often to look again although no event came: events get lost, and drivers make nodes after their event. */
const LOOK_AGAIN_MS = 100;

export interface WaitOptions {
  /** 0 looks once. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Looks for something in the guest until it is there. Looks first, so what was plugged before the agent started needs
 * no event; then at every event of any device. An error of `look` counts as "not yet" until the time is over.
 * @returns what `look` found; when time is over, undefined or what `look` threw last
 */
export async function waitFor<T>(
  guest: Guest,
  look: () => T | undefined,
  options: WaitOptions,
): Promise<T | undefined> {
  const first = attempt(look);
  if (first.found !== undefined) return first.found;
  if (options.timeoutMs <= 0) return give(first);
  options.signal?.throwIfAborted();
  return new Promise<T | undefined>((resolve, reject) => {
    const finish = (last: Attempt<T>) => {
      unsubscribe();
      clearInterval(poll);
      clearTimeout(deadline);
      options.signal?.removeEventListener('abort', onAbort);
      if (last.found === undefined && last.error !== undefined) reject(last.error);
      else resolve(last.found);
    };
    const tryAgain = () => {
      const attempted = attempt(look);
      if (attempted.found !== undefined) finish(attempted);
    };
    const onAbort = () => finish({ found: undefined, error: options.signal?.reason });
    const unsubscribe = guest.onUevent(tryAgain);
    const { lookAgainMs = LOOK_AGAIN_MS } = guest;
    // A timer of infinite length would be one of 1 ms.
    const poll = Number.isFinite(lookAgainMs) ? setInterval(tryAgain, lookAgainMs) : undefined;
    const deadline = setTimeout(() => finish(attempt(look)), options.timeoutMs);
    options.signal?.addEventListener('abort', onAbort);
  });
}

interface Attempt<T> {
  found: T | undefined;
  error?: unknown;
}

function attempt<T>(look: () => T | undefined): Attempt<T> {
  try {
    return { found: look() };
  } catch (error) {
    return { found: undefined, error };
  }
}

function give<T>({ found, error }: Attempt<T>): T | undefined {
  if (found === undefined && error !== undefined) throw error;
  return found;
}
