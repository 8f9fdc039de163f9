import { cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from './command.ts';
import { SOURCE_DATE_EPOCH } from './debian.ts';
import { hashOf, hashTree } from './hash.ts';
import { type Artefact, removeTree, type Store } from './store.ts';
import type { Toolchain } from './toolchain.ts';

export interface Driver extends Artefact {
  hash: string;
  /** mock-accel.ko, built against the guest's kernel. */
  file: string;
}

/** Only what the kernel build reads decides whether the module is built anew. */
const isSource = (name: string) => /^[^/]+\.[ch]$|^(Makefile|Kbuild)$/.test(name);

/** Builds the kernel module inside the toolchain root. Warnings are errors here: the module promises to have none. */
export async function provideDriver(store: Store, toolchain: Toolchain, source: string): Promise<Driver> {
  const hash = hashOf({ recipe: 3, toolchain: toolchain.hash, source: await hashTree(source, isSource) });
  const artefact = await store.produce('driver', hash, async (folder) => {
    const staged = path.join(folder, 'src');
    await mkdir(staged);
    for (const name of (await readdir(source)).filter(isSource)) {
      await cp(path.join(source, name), path.join(staged, name));
    }
    // Named by process, so that two runs at once do not meet.
    const inside = `/build-driver-${process.pid}`;
    await run('cp', ['-r', staged, path.join(toolchain.root, inside)], { root: true });
    try {
      await writeFile(path.join(folder, 'make.log'), await make(toolchain, inside));
      await run('cp', [path.join(toolchain.root, inside, 'mock-accel.ko'), folder], { root: true });
    } finally {
      await removeTree(path.join(toolchain.root, inside));
    }
  });
  return { ...artefact, hash, file: path.join(artefact.path, 'mock-accel.ko') };
}

/** Compiles and strips, with nothing of the folder's name in the result; returns what make printed. */
async function make(toolchain: Toolchain, inside: string): Promise<string> {
  const env = { PATH: '/usr/sbin:/usr/bin', LC_ALL: 'C', LANG: 'C', SOURCE_DATE_EPOCH };
  const inToolchain = (program: string, args: string[]) =>
    run('chroot', [toolchain.root, program, ...args], { root: true, env });
  const variables = [
    `KDIR=/lib/modules/${toolchain.kernelRelease}/build`,
    'W=1',
    `KCFLAGS=-Werror -ffile-prefix-map=${inside}=.`,
    `KBUILD_BUILD_TIMESTAMP=@${SOURCE_DATE_EPOCH}`,
  ];
  const { stdout, stderr } = await inToolchain('make', ['-C', inside, ...variables]);
  await inToolchain('strip', ['--strip-debug', '--enable-deterministic-archives', `${inside}/mock-accel.ko`]);
  return stdout + stderr;
}
