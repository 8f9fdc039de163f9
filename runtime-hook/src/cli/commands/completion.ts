import type { Command } from 'commander';
import { KataMockError } from '../../errors.ts';

export function registerCompletion(program: Command): void {
  program
    .command('completion')
    .description('print a shell completion script')
    .argument('<shell>', 'bash, zsh or fish')
    .addHelpText('after', '\nExample:\n  $ source <(kata-mock completion bash)')
    .action(async (shell: string) => {
      const { completionScript, shells } = await import('../completion/index.ts');
      if (!(shells as readonly string[]).includes(shell)) {
        throw new KataMockError('USAGE', `"${shell}" is not a shell this command knows`, {
          hint: `one of: ${shells.join(', ')}`,
        });
      }
      process.stdout.write(completionScript(shell as (typeof shells)[number], program));
    });
}
