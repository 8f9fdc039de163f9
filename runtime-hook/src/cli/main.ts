#!/usr/bin/env node
/** The `kata-mock` command: parse, run the chosen command, turn its end into an exit code. */
import { buildProgram } from './program.ts';
import { reportError } from './report.ts';

try {
  await buildProgram().parseAsync(process.argv);
} catch (error) {
  process.exitCode = reportError(error);
}
