/** Resolves at the first SIGTERM or SIGINT; further ones change nothing, so that stopping is done in order. */
export function onSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve());
  });
}
