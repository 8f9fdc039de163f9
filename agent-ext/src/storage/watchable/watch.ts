import { atPlace } from '../safe-path.ts';
import { mirror } from './mirror.ts';
import { type Entry, type Limits, scan, type Tree } from './scan.ts';

/** What Kata's agent copies at most; a larger directory is bound. */
export const START_LIMITS: Limits = { entries: 16, bytes: 1024 * 1024 };
/** A kubelet that changes a config map has its old and its new files there for a moment. */
const RUNNING_LIMITS: Limits = { entries: 2 * START_LIMITS.entries, bytes: 2 * START_LIMITS.bytes };
/** As Kata's agent. */
const LOOK_AGAIN_MS = 2_000;

export interface WatchOptions {
  readonly intervalMs?: number | undefined;
  /** Told once for each reason why the copy stays behind the directory. */
  warn(message: string): void;
}

/**
 * Keeps `target` the copy of a directory, which is `first` now. Returns how to end that, which waits for a
 * look that is under way. Throws when the first copy fails.
 * @param open gives a descriptor of the directory: it may be another one each time
 */
export async function watch(
  open: () => Promise<number>,
  target: string,
  first: Tree,
  options: WatchOptions,
): Promise<() => Promise<void>> {
  const copied = new Map<string, Entry>();
  let told = '';
  const look = async () => {
    let problem = '';
    try {
      await atPlace(open(), async (_, source) => {
        const now = await scan(source, RUNNING_LIMITS);
        if (now) await mirror(source, target, copied, now);
        else problem = `it has more than ${RUNNING_LIMITS.entries} entries or ${RUNNING_LIMITS.bytes} bytes`;
      });
    } catch (error) {
      // The host may be in the midst of a change. What was not copied is still a difference at the next look.
      problem = (error as Error).message;
    }
    if (problem !== '' && problem !== told) options.warn(problem);
    told = problem;
  };
  await atPlace(open(), (_, source) => mirror(source, target, copied, first));
  // The host may not answer for a while: a look never begins before the last has ended.
  let looking: Promise<void> | undefined;
  const timer = setInterval(() => {
    looking ??= look().finally(() => {
      looking = undefined;
    });
  }, options.intervalMs ?? LOOK_AGAIN_MS).unref();
  return async () => {
    clearInterval(timer);
    await looking;
  };
}
