import { type Command, Option } from 'commander';

export function registerLogs(program: Command): void {
  program
    .command('logs')
    .description('print what a sandbox wrote')
    .argument('<sandbox>', 'its name; a crashed one keeps its logs until prune')
    .addOption(
      new Option('--source <source>', 'whose')
        .choices(['container', 'console', 'qemu', 'virtiofsd', 'devices', 'run'])
        .default('container'),
    )
    .option('--container <id>', "the container (default: the sandbox's own)")
    .option('-f, --follow', 'go on until the sandbox ends', false)
    .addHelpText('after', '\nExample:\n  $ kata-mock logs demo --source console')
    .action(async (sandbox: string, options) => {
      const { logs } = await import('../../vm/commands/logs.ts');
      await logs(sandbox, options);
    });
}
