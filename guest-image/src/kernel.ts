import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runFrom } from './debian.ts';
import { SetupError } from './errors.ts';
import { hashOf } from './hash.ts';
import { guestModules, initrdModules, moduleClosure } from './modules.ts';
import type { Artefact, Store } from './store.ts';
import type { Toolchain } from './toolchain.ts';
import { zstdPayload } from './vmlinux.ts';

export interface Kernel extends Artefact {
  hash: string;
  release: string;
  /** ELF kernel that QEMU boots by PVH. */
  vmlinux: string;
  /** Folder that holds kernel/… as below /lib/modules/<release>, every module uncompressed. */
  modules: string;
  /** Files the initrd loads, in order, relative to `modules`. */
  initrdFiles: string[];
}

/** The guest's kernel and its modules, taken out of the toolchain root and uncompressed (TCG is slow at xz and zstd). */
export async function provideKernel(store: Store, toolchain: Toolchain): Promise<Kernel> {
  const hash = hashOf({ recipe: 2, toolchain: toolchain.hash, guestModules, initrdModules });
  const release = toolchain.kernelRelease;
  const artefact = await store.produce('kernel', hash, async (folder) => {
    await extractVmlinux(toolchain, folder);
    await copyFile(path.join(toolchain.root, 'boot', `config-${release}`), path.join(folder, 'config'));
    await copyModules(toolchain, folder);
  });
  const initrdFiles = JSON.parse(await readFile(path.join(artefact.path, 'initrd-modules.json'), 'utf8')) as string[];
  return {
    ...artefact,
    hash,
    release,
    vmlinux: path.join(artefact.path, 'vmlinux'),
    modules: path.join(artefact.path, 'modules'),
    initrdFiles,
  };
}

async function extractVmlinux(toolchain: Toolchain, folder: string): Promise<void> {
  const bzImage = await readFile(path.join(toolchain.root, 'boot', `vmlinuz-${toolchain.kernelRelease}`));
  const { stream, length } = zstdPayload(bzImage);
  const packed = path.join(folder, 'vmlinux.zst');
  const vmlinux = path.join(folder, 'vmlinux');
  await writeFile(packed, stream);
  await runFrom(toolchain.root, 'usr/bin/zstd', ['-dqf', packed, '-o', vmlinux]);
  await rm(packed);
  const bytes = await readFile(vmlinux);
  if (bytes.length !== length || bytes.toString('latin1', 1, 4) !== 'ELF') {
    throw new SetupError(
      'BAD_KERNEL',
      `the unpacked kernel has ${bytes.length} bytes and should be an ELF file of ${length}`,
    );
  }
}

async function copyModules(toolchain: Toolchain, folder: string): Promise<void> {
  const source = path.join(toolchain.root, 'usr/lib/modules', toolchain.kernelRelease);
  const dependencies = await readFile(path.join(source, 'modules.dep'), 'utf8');
  const wanted = moduleClosure(dependencies, guestModules);
  if (wanted.absent.length > 0) {
    throw new SetupError('BAD_KERNEL', `kernel ${toolchain.kernelRelease} has no module ${wanted.absent.join(', ')}`);
  }
  for (const file of wanted.files) {
    const target = path.join(folder, 'modules', file.replace(/\.xz$/, ''));
    await mkdir(path.dirname(target), { recursive: true });
    if (file.endsWith('.xz')) {
      await runFrom(toolchain.root, 'usr/bin/xz', ['-dc', path.join(source, file)], { stdoutFile: target });
    } else {
      await copyFile(path.join(source, file), target);
    }
  }
  // depmod wants to know what is built in and in which order modules were linked.
  for (const name of ['modules.builtin', 'modules.builtin.modinfo', 'modules.order']) {
    await copyFile(path.join(source, name), path.join(folder, 'modules', name));
  }
  const first = moduleClosure(dependencies, initrdModules).files.map((file) => file.replace(/\.xz$/, ''));
  await writeFile(path.join(folder, 'initrd-modules.json'), JSON.stringify(first));
}
