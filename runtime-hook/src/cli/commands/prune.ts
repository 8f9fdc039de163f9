import type { Command } from 'commander';
import { type OutputFormat, outputOption } from '../options.ts';

export function registerPrune(program: Command): void {
  program
    .command('prune')
    .description('remove what crashed runs left: processes, mounts, sockets, files, leases')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ kata-mock prune')
    .action(async ({ output }: { output: OutputFormat }) => {
      const { prune } = await import('../../vm/commands/prune.ts');
      const removed = await prune();
      if (output === 'json') console.log(JSON.stringify(removed, null, 2));
      else if (removed.length === 0) console.log('nothing to remove');
      else for (const { what, name } of removed) console.log(`removed ${what} ${name}`);
    });
}
