/** Progress and errors go to stderr; stdout is the guest's serial line. */
export function say(text: string): void {
  process.stderr.write(`try: ${text}\n`);
}

/** Longer than this, and a person wants to know what is going on. */
const PATIENCE_MS = 2000;

/** Waits for `work`, and says `text` when that takes long. */
export async function patiently<T>(text: string, work: Promise<T>): Promise<T> {
  const timer = setTimeout(() => say(text), PATIENCE_MS);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}
