import { type Command, Option } from 'commander';
import { collect, type OutputFormat, outputOption, positiveInteger } from '../options.ts';

interface CdiHostOptions {
  count: number;
  device: string[];
  specDir: string;
  remove: boolean;
  dryRun: boolean;
  output: OutputFormat;
}

/** The file below the spec directory. */
const FILE = 'kata-mock.json';

export function registerCdiHost(program: Command): void {
  program
    .command('cdi-host')
    .description("write the CDI spec by which this node's container runtime knows the mock devices")
    .addOption(new Option('--count <n>', 'how many devices to name').default(8).argParser(positiveInteger))
    .option('--device <spec>', 'name this device instead (repeatable): name=, uuid=, path= as for run', collect, [])
    .option('--spec-dir <dir>', 'directory of the runtime', '/etc/cdi')
    .option('--remove', 'remove the file instead', false)
    .option('--dry-run', 'print the spec and write nothing', false)
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
The nodes in it are placeholders with the numbers of /dev/null: the agent in the VM knows them by their path and puts
the real ones in. A pod may ask for fewer devices than are named here.

Example:
  $ sudo kata-mock cdi-host --count 8
  $ cdi devices`,
    )
    .action(run);
}

async function run(options: CdiHostOptions): Promise<void> {
  const { removeSpec, writeSpec } = await import('cdi-spec');
  const { parseDeviceSpec } = await import('../../inventory/device-spec.ts');
  const { placeholderSpec } = await import('../../cdi-host/placeholder-spec.ts');

  if (options.remove) {
    removeSpec(options.specDir, FILE);
    report(options, { removed: `${options.specDir}/${FILE}` }, `removed ${options.specDir}/${FILE}`);
    return;
  }
  const devices = options.device.length > 0 ? options.device : [`count=${options.count}`];
  const spec = placeholderSpec(devices.map(parseDeviceSpec));
  if (options.dryRun) {
    process.stdout.write(`${JSON.stringify(spec, null, 2)}\n`);
    return;
  }
  const file = writeSpec(options.specDir, FILE, spec);
  const names = spec.devices.map(({ name }) => `${spec.kind}=${name}`);
  report(options, { file, devices: names }, [`wrote ${file}`, ...names.map((name) => `  ${name}`)].join('\n'));
}

function report({ output }: CdiHostOptions, json: object, text: string): void {
  process.stdout.write(`${output === 'json' ? JSON.stringify(json) : text}\n`);
}
