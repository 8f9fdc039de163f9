import { Argument, Command, CommanderError, Option } from 'commander';
import { classes } from './commands/classes.ts';
import { devices } from './commands/devices.ts';
import { diff } from './commands/diff.ts';
import { dirs } from './commands/dirs.ts';
import { explain } from './commands/explain.ts';
import { inject } from './commands/inject.ts';
import { lint } from './commands/lint.ts';
import { monitor } from './commands/monitor.ts';
import { resolve } from './commands/resolve.ts';
import { specs } from './commands/specs.ts';
import { validate } from './commands/validate.ts';
import { vendors } from './commands/vendors.ts';
import { completionScript, type Shell } from './completion.ts';
import { type GlobalOptions, type Io, Trouble, UsageError } from './context.ts';
import { type Format, formatOption } from './output.ts';

const LISTS: Format[] = ['json', 'yaml', 'table'];
const DOCUMENTS: Format[] = ['json', 'yaml'];

/**
 * The `cdi` command.
 * @returns exit status: 0 done, 1 something is wrong with what was looked at, 2 called in a way that makes no sense
 */
export async function run(argv: readonly string[], io: Io, stop: AbortSignal): Promise<0 | 1 | 2> {
  let fine = true;
  const program = build(io, stop, (result) => {
    fine = result;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return fine ? 0 : 1;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    io.err(`cdi: ${(error as Error).message}\n`);
    if (error instanceof Trouble) return 2;
    if (!(error instanceof UsageError)) return 1;
    io.err('Run "cdi --help" for what there is.\n');
    return 2;
  }
}

function build(io: Io, stop: AbortSignal, done: (fine: boolean) => void): Command {
  const program = new Command('cdi')
    .description('Lists, checks and injects devices of the Container Device Interface.')
    .addOption(
      new Option(
        '-d, --spec-dirs <dir,…>',
        'spec directories, lowest priority first; may be repeated (default: /etc/cdi,/var/run/cdi)',
      ).argParser((value: string, before: string[] | undefined) => [
        ...(before ?? []),
        ...value.split(',').filter(Boolean),
      ]),
    )
    .option('-s, --schema <schema>', 'check specs by a JSON schema: builtin, none, a path or an address', 'builtin')
    .addOption(
      new Option('--compat <what>', 'behave as the Go reference where someone could depend on it').choices(['go']),
    )
    .option('--proposals', 'know the proposals for CDI 1.2.0')
    .addHelpText('after', EXAMPLES)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text) })
    .exitOverride()
    .helpCommand(true);

  const command = (name: string, description: string, formats?: Format[], fallback?: Format) => {
    const made = program.command(name).description(description);
    if (formats) {
      const option = new Option('-o, --output <format>', `one of ${formats.join(', ')}`).argParser(
        formatOption(formats),
      );
      made.addOption(fallback ? option.default(fallback) : option);
    }
    return made;
  };
  /** Runs a command with the global options merged into its own, and keeps what it ends with. */
  const act =
    (run: (args: string[], options: GlobalOptions & { output: Format }) => Promise<unknown>) =>
    async (...all: unknown[]) => {
      const self = all.at(-1) as Command;
      done((await run(self.args, self.optsWithGlobals())) !== false);
    };
  const file = () => new Argument('<file>', 'OCI spec in JSON or YAML; - is stdin');

  command('vendors', 'list vendors', LISTS, 'table')
    .option('-v, --verbose', 'with the number of spec files')
    .action(act((_, options) => vendors(options, io)));
  command('classes', 'list device classes', LISTS, 'table')
    .option('-v, --verbose', 'with their vendors')
    .action(act((_, options) => classes(options, io)));
  command('specs', 'list spec files, of some vendors or all', LISTS, 'table')
    .argument('[vendor...]')
    .option('-v, --verbose', 'with their content')
    .action(act((args, options) => specs(args, options, io)));
  command('devices', 'list devices', LISTS, 'table')
    .aliases(['devs', 'dev'])
    .option('-v, --verbose', 'with their edits and files')
    .action(act((_, options) => devices(options, io)));
  command('dirs', 'list spec directories', LISTS, 'table').action(act((_, options) => dirs(options, io)));
  command(
    'validate',
    'check spec files, or all of the spec directories; exit status 1 when something is wrong',
    LISTS,
    'table',
  )
    .argument('[file...]', '- is stdin')
    .action(act((args, options) => validate(args, options, io)));
  command('inject', 'put devices into an OCI spec, all or none', DOCUMENTS)
    .aliases(['inj', 'in', 'oci'])
    .addArgument(file())
    .argument('[device...]', 'qualified names, or patterns such as "vendor.com/gpu=*"; none leaves the spec as it is')
    .action(act(([first = '', ...names], options) => inject(first, names, options, io)));
  command('resolve', 'put devices into OCI specs that name them as paths in linux.devices', DOCUMENTS)
    .alias('res')
    .argument('<file...>', 'OCI specs; - is stdin')
    .action(act((args, options) => resolve(args, options, io)));
  command('explain', 'show what injecting would do, each edit with its device and file', LISTS, 'table')
    .addArgument(file())
    .argument('<device...>')
    .action(act(([first = '', ...names], options) => explain(first, names, options, io)));
  command(
    'diff',
    'compare two spec files or directories, or an OCI spec before and after injection; exit status 1 when they differ, 2 on trouble',
    LISTS,
    'table',
  )
    .argument('<old>', 'spec file or directory; or an OCI spec')
    .argument('<new...>', 'spec file or directory; or device names')
    .action(act(([first = '', ...rest], options) => diff(first, rest, options, io)));
  command('lint', 'find what is wrong or likely not meant, with what to do; exit status 1 above notes', LISTS, 'table')
    .argument('[file...]')
    .action(act(async (args, options) => lint(args, options, io)));
  command('monitor', 'tell what comes and goes until interrupted', LISTS, 'table')
    .argument('[what...]', 'specs, vendors, classes, devices or all')
    .option('-v, --verbose', 'with the content of new devices')
    .action(act((args, options) => monitor(args, options, io, stop)));
  program
    .command('completion')
    .description('print a completion script')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .action((shell: Shell) => io.out(completionScript(program, shell)));
  return program;
}

const EXAMPLES = `
Examples:
  cdi devices                                      what this host offers
  cdi inject config.json vendor.com/gpu=0 > new.json
  runc spec -b . && cdi -d ./cdi inject config.json 'vendor.com/gpu=*'
  cdi validate                                     exit status 1 when a spec file is wrong
  cdi lint -o json | jq '.[].fix'
`;
