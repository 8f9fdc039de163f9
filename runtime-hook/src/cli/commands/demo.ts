import { type Command, Option } from 'commander';

export function registerDemo(program: Command): void {
  program
    .command('demo')
    .description('show the whole way: two devices on two NUMA nodes, a container that reads its own')
    .addOption(new Option('--accel <kind>', 'how QEMU runs the guest').choices(['auto', 'kvm', 'tcg']).default('auto'))
    .option('--svg <file>', 'draw where the devices sit into a file')
    .addHelpText('after', '\nExample:\n  $ kata-mock demo')
    .action(async (options: { accel: 'auto' | 'kvm' | 'tcg'; svg?: string }) => {
      const { demo } = await import('../../vm/commands/demo.ts');
      process.exitCode = await demo({ ...options, verbose: program.opts()['verbose'] === true });
    });
}
