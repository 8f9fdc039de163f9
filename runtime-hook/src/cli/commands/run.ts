import { type Command, Option } from 'commander';
import { collect, keyValue, outputOption, positiveInteger, seconds } from '../options.ts';

export function registerRun(program: Command): void {
  program
    .command('run')
    .description('start a VM with mock devices and run a container in it')
    .argument('[command...]', "the container's command line (default: the bundle's own, else a shell)")
    .option(
      '--device <spec>',
      'a device to plug, e.g. mock-accel,memory=16G,numa=1 ("help" explains the keys)',
      collect,
      [],
    )
    .addOption(new Option('--bundle <dir>', 'OCI bundle whose config.json is the input').conflicts('rootfs'))
    .option('--rootfs <dir>', 'root file system (default: the busybox root made at set-up); never written to')
    .option('--sandbox <name>', 'start the container in this running sandbox instead of a new VM')
    .option('--env <key=value>', 'variable for the container', keyValue, [])
    .option(
      '--annotation <key=value>',
      'annotation for the container, e.g. cdi.k8s.io/x=kata-mock.dev/accel=0',
      keyValue,
      [],
    )
    .option('--memory <size>', "the VM's memory, with suffix M or G", '512M')
    .option('--cpus <n>', "the VM's CPUs", positiveInteger, 1)
    .addOption(new Option('--accel <kind>', 'how QEMU runs the guest').choices(['auto', 'kvm', 'tcg']).default('auto'))
    .option('-i, --interactive', 'pass stdin to the container', false)
    .option('-t, --tty', 'give the container a terminal', false)
    .option('--name <name>', 'name of the sandbox, or with --sandbox of the container')
    .option(
      '--stop-timeout <seconds>',
      'kill the container so long after SIGINT or SIGTERM was passed on; 0: never',
      seconds,
      5,
    )
    .addOption(
      new Option(
        '--rootfs-mode <mode>',
        "overlay: the container's writes vanish; bind: they go to the root file system",
      )
        .choices(['overlay', 'bind'])
        .default('overlay'),
    )
    .addOption(
      new Option('--on-device-loss <what>', 'when the device host dies: stop the VM, or keep it with dead devices')
        .choices(['stop', 'keep'])
        .default('stop'),
    )
    .option('--timings', 'print how long each stage took, on stderr', false)
    .option('--timings-svg <file>', 'draw the same into a file')
    .addOption(outputOption())
    .option('--dry-run', 'print the plan and start nothing', false)
    .passThroughOptions()
    .addHelpText(
      'after',
      `
Example:
  $ kata-mock run --device mock-accel,numa=0 --device mock-accel,numa=1 \\
      --annotation cdi.k8s.io/demo=kata-mock.dev/accel=0 -- cat /dev/mock0`,
    )
    .action(async (command: string[], options) => {
      const { run } = await import('../../vm/run/run.ts');
      process.exitCode = await run(command, { ...options, verbose: program.opts()['verbose'] === true });
    });
}
