/** Progress lines with the time since the program started, so that a person sees which step is the slow one. */
export interface Progress {
  line(message: string): void;
  /** Runs one step and reports its duration; `reused` says the result was there already, undefined that there is none. */
  step<T extends { reused: boolean } | undefined>(label: string, work: () => Promise<T>): Promise<T>;
}

export function createProgress(write: (text: string) => void, now: () => number = performance.now.bind(performance)) {
  const start = now();
  const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`;
  const line = (message: string) => write(`[${seconds(now() - start).padStart(7)}] ${message}\n`);

  const step = async <T extends { reused: boolean } | undefined>(label: string, work: () => Promise<T>): Promise<T> => {
    const began = now();
    const ticker = setInterval(() => line(`${label} … ${seconds(now() - began)}`), 10_000);
    try {
      const result = await work();
      if (!result) line(`${label}: none`);
      else line(result.reused ? `${label}: unchanged` : `${label}: done in ${seconds(now() - began)}`);
      return result;
    } finally {
      clearInterval(ticker);
    }
  };
  return { line, step } satisfies Progress;
}
