#!/usr/bin/env node
/** The `kata-mock` command: parse, run the chosen command, turn its end into an exit code. */
import { endWithReader } from '@kata-mock/posix';
import { buildProgram } from './program.ts';
import { reportError } from './report.ts';

endWithReader();

try {
  await buildProgram().parseAsync(process.argv);
} catch (error) {
  process.exitCode = reportError(error);
}
