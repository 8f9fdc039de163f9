import type { Command } from 'commander';
import { keyValue, seconds } from '../options.ts';

export function registerExec(program: Command): void {
  program
    .command('exec')
    .description('run a further process in a running container')
    .argument('<sandbox>', 'its name (kata-mock ps)')
    .argument('<command...>', 'program and arguments')
    .option('--container <id>', "the container (default: the sandbox's own)")
    .option('--env <key=value>', 'variable for the process', keyValue, [])
    .option('--cwd <dir>', "working directory (default: the container's)")
    .option('--user <uid[:gid]>', "numeric user and group (default: the container's)")
    .option('-i, --interactive', 'pass stdin to the process', false)
    .option('-t, --tty', 'give the process a terminal', false)
    .option(
      '--stop-timeout <seconds>',
      'kill the process so long after SIGINT or SIGTERM was passed on; 0: never',
      seconds,
      5,
    )
    .passThroughOptions()
    .addHelpText('after', '\nExample:\n  $ kata-mock exec demo cat /dev/mock0')
    .action(async (sandbox: string, command: string[], options) => {
      const { exec } = await import('../../vm/commands/exec.ts');
      // Commander hands on what follows the sandbox's name as it is, also the `--` that people write before a command.
      const words = command[0] === '--' ? command.slice(1) : command;
      process.exitCode = await exec(sandbox, words, options);
    });
}
