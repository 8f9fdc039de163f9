import { CommanderError } from 'commander';
import { KataMockError } from '../errors.ts';

/**
 * Prints what went wrong on stderr and answers the exit code: 2 for wrong usage, 1 for everything else.
 * An error that is not one of ours keeps its stack, since it is a defect.
 */
export function reportError(error: unknown, write: (text: string) => void = (text) => process.stderr.write(text)) {
  if (error instanceof CommanderError) {
    // --help and --version arrive here too; commander has printed everything by now.
    return error.exitCode === 0 ? 0 : 2;
  }
  if (error instanceof KataMockError) {
    write(`kata-mock: ${error.message}\n`);
    if (error.hint !== undefined) write(`  ${error.hint.split('\n').join('\n  ')}\n`);
    return error.exitCode;
  }
  const known = foreignMessage(error);
  write(`kata-mock: ${known ?? (error instanceof Error ? (error.stack ?? error.message) : String(error))}\n`);
  return 1;
}

/** Errors of the libraries carry a `code` and a readable message; those need no stack. */
function foreignMessage(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.message;
  return undefined;
}
