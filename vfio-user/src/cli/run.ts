import { endWithReader } from '@kata-mock/posix';
import type { Command } from 'commander';
import { CommanderError } from 'commander';
import { VfioUserError } from '../errors.ts';

const usageCodes = new Set(['INVALID_OPTION', 'NOT_FOUND']);

/** Parses and runs a command line; errors become one line on stderr and exit code 1, or 2 for a wrong call. */
export async function run(program: Command): Promise<void> {
  endWithReader();
  try {
    program.exitOverride();
    for (const command of program.commands) command.exitOverride();
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2;
      return;
    }
    process.stderr.write(`${program.name()}: ${(error as Error).message}\n`);
    process.exitCode = error instanceof VfioUserError && usageCodes.has(error.code) ? 2 : 1;
  }
}
