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
  const hash = hashOf({ recipe: 2, toolchain: toolchain.hash, source: await hashTree(source, isSource) });
  const artefact = await store.produce('driver', hash, async (folder) => {
    const inside = `/build-driver-${process.pid}`;
    const outside = path.join(toolchain.root, inside);
    const staged = path.join(folder, 'src');
    await mkdir(staged);
    for (const name of (await readdir(source)).filter(isSource)) {
      await cp(path.join(source, name), path.join(staged, name));
    }
    await run('cp', ['-r', staged, outside], { root: true });
    try {
      const headers = `/lib/modules/${toolchain.kernelRelease}/build`;
      const variables = [`KDIR=${headers}`, 'W=1', 'KCFLAGS=-Werror', `KBUILD_BUILD_TIMESTAMP=@${SOURCE_DATE_EPOCH}`];
      const built = await run('chroot', [toolchain.root, 'make', '-C', inside, ...variables], {
        root: true,
        env: { PATH: '/usr/sbin:/usr/bin', LC_ALL: 'C', LANG: 'C', SOURCE_DATE_EPOCH },
      });
      await writeFile(path.join(folder, 'make.log'), built.stdout + built.stderr);
      await run('cp', [path.join(outside, 'mock-accel.ko'), folder], { root: true });
    } finally {
      await removeTree(outside);
    }
  });
  return { ...artefact, hash, file: path.join(artefact.path, 'mock-accel.ko') };
}
