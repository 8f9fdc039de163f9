/** Median of the milliseconds that each of several tasks takes, the tasks in turn so that a busy machine slows all alike. */
export function inTurn(rounds: number, tasks: (() => unknown)[]): number[] {
  const times = tasks.map(() => [] as number[]);
  for (let round = 0; round < rounds; round++) {
    tasks.forEach((task, index) => {
      const start = performance.now();
      task();
      times[index]?.push(performance.now() - start);
    });
  }
  return times.map(median);
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}
