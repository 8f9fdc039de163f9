import { constants } from 'node:os';
import type { ProcessCalls } from '../../agent-client/process-io.ts';

type Signal = keyof typeof constants.signals;

/** Passed on to the container's process, as a shim passes on what `kill` asks for. */
const passedOn: Signal[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGCONT'];
/** These mean "end": if the process does not, it is killed. */
const ending: Signal[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

export interface SignalOptions {
  /** Seconds from an ending signal to SIGKILL; 0: never. */
  stopTimeout: number;
  /** Called when the process had to be killed and the VM is next; absent when only the process is ours. */
  onGiveUp?: (signal: number) => void;
}

/**
 * Passes our signals to a process in the guest. A first process of a pid namespace ignores SIGINT and SIGTERM unless
 * it handles them, so after a while, or at the second one, it gets SIGKILL: Ctrl-C always ends.
 */
export function passSignals(target: ProcessCalls, options: SignalOptions): { stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  let endings = 0;
  const kill = (signal: number) => {
    target.signal(constants.signals.SIGKILL).catch(() => {});
    options.onGiveUp?.(signal);
  };
  const handlers = passedOn.map((name) => {
    const number = constants.signals[name];
    const handler = () => {
      if (ending.includes(name) && ++endings > 1) {
        kill(number);
        return;
      }
      target.signal(number).catch(() => {});
      if (ending.includes(name) && options.stopTimeout > 0) {
        timer = setTimeout(kill, options.stopTimeout * 1000, number);
      }
    };
    process.on(name, handler);
    return { name, handler };
  });
  return {
    stop: () => {
      clearTimeout(timer);
      for (const { name, handler } of handlers) process.off(name, handler);
    },
  };
}

/** Aborts on the first signal that means "end"; for the time when there is no container to pass it to. */
export function abortOnSignal(): { signal: AbortSignal; number(): number; stop(): void } {
  const controller = new AbortController();
  let received = 0;
  const handlers = ending.map((name) => {
    const handler = () => {
      received ||= constants.signals[name];
      controller.abort(new Interrupted(name));
    };
    process.on(name, handler);
    return { name, handler };
  });
  return {
    signal: controller.signal,
    number: () => received,
    stop: () => {
      for (const { name, handler } of handlers) process.off(name, handler);
    },
  };
}

/** While this holds, a signal that means "end" does not end us by itself: what was started is taken down in order. */
export function holdSignals(): { release(): void } {
  const ignore = () => {};
  for (const name of ending) process.on(name, ignore);
  return {
    release: () => {
      for (const name of ending) process.off(name, ignore);
    },
  };
}

export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly exitCode: number;

  constructor(signal: Signal) {
    super(`stopped by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}
