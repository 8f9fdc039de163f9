import { Command } from 'commander';
import { registerCommands } from './commands/index.ts';
import { version } from './version.ts';

/**
 * The whole command tree. Commands register themselves from `commands/<name>.ts` and import what they need
 * only when they run, so `kata-mock --help` starts fast.
 */
export function buildProgram(): Command {
  const program = new Command('kata-mock')
    .description('Runs containers in a VM with mock PCIe accelerators, the way Kata Containers would')
    .version(version, '--version', 'print the version')
    .option('--verbose', 'log what happens on stderr', false)
    // Everything after the first operand belongs to the container's command line.
    .enablePositionalOptions()
    .showHelpAfterError('(add --help for the options and an example)')
    // Commander would call process.exit; main.ts decides, so that output is flushed and tests can run it.
    .exitOverride()
    .addHelpText(
      'after',
      `
Example:
  $ kata-mock run --device mock-accel,memory=16G,numa=1 -- cat /dev/mock0

Exit codes: the container's own (128+n for signal n) for run and exec; else 0 done, 1 failed, 2 wrong usage.`,
    );
  registerCommands(program);
  overrideExit(program);
  return program;
}

/** Commands do not inherit it when they are made. */
function overrideExit(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) overrideExit(child);
}
