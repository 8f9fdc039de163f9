import type { Command } from 'commander';

export function registerSysfs(program: Command): void {
  const sysfs = program.command('sysfs').description('fake machines for tests of device code');
  sysfs
    .command('snapshot')
    .description("describe this machine's PCI devices as a tree for @kata-mock/pci/testing")
    .option('--sysfs <dir>', 'mount point of sysfs', '/sys')
    .addHelpText(
      'after',
      '\nExample:\n  $ kata-mock sysfs snapshot > machine.json\n  $ kata-mock sysfs build machine.json /tmp/tree',
    )
    .action(async (options: { sysfs: string }) => {
      const { snapshotTree } = await import('@kata-mock/pci/testing');
      console.log(JSON.stringify(snapshotTree(options.sysfs), null, 2));
    });
  sysfs
    .command('build')
    .description('build the sys and dev tree of a description, without root')
    .argument('<description>', 'JSON file, as "sysfs snapshot" prints it')
    .argument('<directory>', 'where to build; must be empty or absent')
    .addHelpText('after', '\nExample:\n  $ kata-mock sysfs build machine.json /tmp/tree')
    .action(async (description: string, directory: string) => {
      const { buildTree } = await import('../sysfs/build-tree.ts');
      console.log(`${buildTree(description, directory)} functions in ${directory}`);
    });
}
