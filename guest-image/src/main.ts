import path from 'node:path';
import { parseArgs } from 'node:util';
import { clean } from './clean.ts';
import { SetupError } from './errors.ts';
import { makeImage, makeKernel, makeQemu } from './image.ts';
import { agentBundle, buildDir, driverSource } from './paths.ts';
import { createProgress } from './progress.ts';
import { Store } from './store.ts';

const HELP = `usage: npx tsx guest-image/setup.ts [--build DIR] [--agent DIR] [--driver DIR] [qemu|kernel|image|all|clean]

Makes what the guest needs below build/ and writes build/artefacts.json:
  qemu     a QEMU with vfio-user-pci and virtiofsd: the host's own, else a private copy
  kernel   the guest's kernel, its headers and a compiler
  image    kernel, module, initrd, root image and container root
  all      everything (the default)
  clean    removes all of it

  --build DIR    make it below DIR
  --agent DIR    the bundled agent, by default dist/agent
  --driver DIR   the module's source, by default kernel-driver

What is there already is not made again, and nothing is downloaded the second time.
Example: npx tsx guest-image/setup.ts image
`;

/** Runs the command line; returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    await dispatch(argv);
    return 0;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`guest-image: ${error.message}\n`);
    return error.code === 'USAGE' ? 2 : 1;
  }
}

async function dispatch(argv: readonly string[]): Promise<void> {
  const options = parse(argv);
  const { what } = options;
  if (options.help) {
    process.stdout.write(HELP);
    return;
  }
  const build = path.resolve(options.build);
  if (what === 'clean') return clean(build, (text) => process.stdout.write(text));
  const progress = createProgress((text) => process.stderr.write(text));
  const store = new Store(build);
  await store.sweep();
  if (what === 'qemu' || what === 'all') await makeQemu(store, progress);
  if (what === 'kernel') await makeKernel(store, progress);
  if (what === 'image' || what === 'all') {
    await makeImage(store, progress, { agent: path.resolve(options.agent), driver: path.resolve(options.driver) });
  }
}

const TARGETS = ['qemu', 'kernel', 'image', 'all', 'clean'];

function parse(argv: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        build: { type: 'string', default: buildDir },
        agent: { type: 'string', default: agentBundle },
        driver: { type: 'string', default: driverSource },
      },
    });
    const [what = 'all', ...rest] = positionals;
    if (rest.length > 0 || !TARGETS.includes(what)) {
      throw new Error(`unknown target ${JSON.stringify([what, ...rest].join(' '))}`);
    }
    return { ...values, what };
  } catch (error) {
    throw new SetupError('USAGE', `${(error as Error).message}\n${HELP}`);
  }
}
