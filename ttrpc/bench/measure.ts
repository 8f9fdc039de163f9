/** Runs each measurement a few times, floor and ttrpc in turn, so that both see the same machine. */
export async function alternate(
  rounds: number,
  floor: () => Promise<number>,
  ttrpc: () => Promise<number>,
): Promise<{ floor: number; ttrpc: number }> {
  const results = { floor: [] as number[], ttrpc: [] as number[] };
  await floor();
  await ttrpc();
  for (let i = 0; i < rounds; i++) {
    results.floor.push(await floor());
    results.ttrpc.push(await ttrpc());
  }
  return { floor: median(results.floor), ttrpc: median(results.ttrpc) };
}

export function median(values: Iterable<number>): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.floor(sorted.length / 2)]!;
}

/** Seconds a piece of work takes. */
export async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}
