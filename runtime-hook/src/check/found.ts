import { KataMockError } from '../errors.ts';

/** What `load` gives, or why it gives nothing. */
export function found<T>(load: () => T): { value: T } | { reason: string } {
  try {
    return { value: load() };
  } catch (error) {
    if (error instanceof KataMockError) return { reason: error.message };
    throw error;
  }
}
