/** Stages of a run and how long each took; `now` is in milliseconds. */
export interface Stage {
  name: string;
  /** Since the timeline's start. */
  startMs: number;
  durationMs: number;
}

export class Timeline {
  readonly #now: () => number;
  readonly #start: number;
  readonly #stages: Stage[] = [];

  constructor(now: () => number = () => performance.now(), start = now()) {
    this.#now = now;
    this.#start = start;
  }

  /** Ends the stage that runs (if any) and begins `name`. */
  begin(name: string): void {
    this.end();
    this.#stages.push({ name, startMs: this.#now() - this.#start, durationMs: Number.NaN });
  }

  end(): void {
    const last = this.#stages.at(-1);
    if (last && Number.isNaN(last.durationMs)) last.durationMs = this.#now() - this.#start - last.startMs;
  }

  /** Finished stages, in order. */
  stages(): Stage[] {
    return this.#stages.filter((stage) => !Number.isNaN(stage.durationMs)).map((stage) => ({ ...stage }));
  }
}
