#!/usr/bin/env node
/** The `kata-mock` command: parse, run the chosen command, turn its end into an exit code. */
import { buildProgram } from './program.ts';
import { reportError } from './report.ts';

// A reader that has seen enough, such as head(1), ends the program as any other wish to stop does.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  if (code === 'EPIPE') process.kill(process.pid, 'SIGTERM');
});

try {
  await buildProgram().parseAsync(process.argv);
} catch (error) {
  process.exitCode = reportError(error);
}
