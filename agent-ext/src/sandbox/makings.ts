import { AgentError } from '../errors.ts';

/** Something that is being made in the sandbox. */
export interface Making {
  /** Aborts when the sandbox ends: then it must not come to be. */
  readonly signal: AbortSignal;
  /** It is there, or all of it is undone. */
  done(): void;
}

/** What is being made in a sandbox, so that its end can wait for all of it. */
export class Makings {
  readonly #running = new Set<{ abort: (reason: Error) => void; over: Promise<void> }>();
  #over = false;

  /** Throws once the sandbox ends. */
  begin(): Making {
    if (this.#over) throw ending();
    const controller = new AbortController();
    let done = () => {};
    const over = new Promise<void>((resolve) => {
      done = resolve;
    });
    const entry = { abort: (reason: Error) => controller.abort(reason), over };
    this.#running.add(entry);
    return {
      signal: controller.signal,
      done: () => {
        this.#running.delete(entry);
        done();
      },
    };
  }

  /**
   * Nothing begins any more, and what has begun is called off. Resolves when all of that is undone, or after `limitMs`:
   * a guest hook may never end. Returns how many are not undone then.
   */
  async callOff(limitMs: number): Promise<number> {
    this.#over = true;
    const running = [...this.#running];
    for (const { abort } of running) abort(ending());
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limitMs);
    });
    await Promise.race([late, Promise.all(running.map(({ over }) => over))]);
    clearTimeout(timer);
    return this.#running.size;
  }
}

function ending(): AgentError {
  return new AgentError('FAILED_PRECONDITION', 'the sandbox is being destroyed');
}
