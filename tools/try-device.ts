/** `npm run try -- FILE`: serves a device of one's own and boots a guest with a shell that has it. */
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { endWithReader } from '@kata-mock/posix';
import { KataMockError } from '@kata-mock/runtime-hook';
import { type Accelerator, accelerators, chooseAccelerator } from './try-device/accelerator.ts';
import { guestCommand, root, serveCommand, shellLine } from './try-device/commands.ts';
import { say } from './try-device/say.ts';
import { tryDevice } from './try-device/session.ts';

const HELP = `usage: npm run try -- [--accel auto|kvm|tcg] [--dry-run] FILE

Serves the device that is FILE's default export, and boots a guest that has it plugged in, with a shell on this terminal.
poweroff in the guest, Ctrl-C or Ctrl-A X here ends both. Needs \`make setup\`, and no root.

  --accel WHAT   what the guest runs on: kvm, tcg (emulation), or auto, which is kvm where a kernel boots with it
  --dry-run      print the two commands that do the same by hand, and do nothing

Example: npm run try -- vfio-user/examples/smallest.ts
`;

async function main(argv: string[]): Promise<number> {
  const options = parse(argv);
  if (options === undefined) {
    process.stdout.write(HELP);
    return 0;
  }
  // Where the probe of KVM keeps its answer: root's place is not ours without root.
  if (process.getuid?.() !== 0)
    process.env['KATA_MOCK_RUN_DIR'] ||= path.join(os.tmpdir(), `kata-mock-${os.userInfo().uid}`);
  const accel = await chooseAccelerator(options.accel);
  if (!options.dryRun) return tryDevice(options.file, accel);
  const socket = path.join('/tmp', `${path.parse(options.file).name}.sock`);
  for (const command of [serveCommand(options.file, socket), guestCommand(accel, socket)])
    console.log(shellLine(command));
  if (path.relative(root, options.file).startsWith('..'))
    say(`by hand, ${options.file} has to be inside the clone, where Node finds what it imports`);
  return 0;
}

function parse(argv: string[]): { file: string; accel: Accelerator; dryRun: boolean } | undefined {
  const usage = (reason: string) => new KataMockError('USAGE', reason, { hint: 'npm run try -- --help shows how' });
  try {
    const { values, positionals } = parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        accel: { type: 'string', default: 'auto' },
        'dry-run': { type: 'boolean', default: false },
      },
    });
    if (values.help) return undefined;
    const [name, ...rest] = positionals;
    if (name === undefined) throw usage('give the file of a device');
    if (rest.length > 0) throw usage(`one file, not also ${rest.join(' ')}`);
    const accel = accelerators.find((known) => known === values.accel);
    if (accel === undefined)
      throw usage(`--accel ${JSON.stringify(values.accel)} is none of ${accelerators.join(', ')}`);
    // npm runs scripts in the clone's root and says where it was called.
    return { file: path.resolve(process.env['INIT_CWD'] ?? '.', name), accel, dryRun: values['dry-run'] };
  } catch (error) {
    throw error instanceof KataMockError ? error : usage((error as Error).message);
  }
}

endWithReader();
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof KataMockError)) throw error;
  say(`${error.message}${error.hint === undefined ? '' : `\n  ${error.hint}`}`);
  process.exitCode = error.exitCode;
}
