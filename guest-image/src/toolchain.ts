import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { run } from './command.ts';
import { extractPackages, RELEASE } from './debian.ts';
import { SetupError } from './errors.ts';
import { hashOf } from './hash.ts';
import type { Artefact, Store } from './store.ts';

/** The kernel, its headers, the compiler that built it, and the tools that pack the images. */
const packages = [
  ...['base-files', 'bash', 'dash', 'coreutils', 'diffutils', 'findutils', 'grep', 'sed', 'mawk', 'perl'],
  ...['linux-image-cloud-amd64', 'linux-headers-cloud-amd64', 'gcc', 'libc6-dev', 'make'],
  ...['kmod', 'xz-utils', 'zstd', 'erofs-utils'],
];

export interface Toolchain extends Artefact {
  hash: string;
  /** The Debian root with everything in it. */
  root: string;
  /** Release of the kernel in it, as uname -r prints it. */
  kernelRelease: string;
}

/** A private Debian root to build in, so compiler and headers always match the guest's kernel. */
export async function provideToolchain(store: Store): Promise<Toolchain> {
  const hash = hashOf({ recipe: 2, release: RELEASE, packages });
  const artefact = await store.produce('toolchain', hash, async (folder) => {
    const root = await extractPackages(folder, { packages });
    // What the packages' maintainer scripts would have made.
    await run('ln', ['-s', 'mawk', path.join(root, 'usr/bin/awk')], { root: true });
    await run('chroot', [root, 'depmod', await kernelReleaseOf(root)], { root: true });
  });
  const root = path.join(artefact.path, 'root');
  return { ...artefact, hash, root, kernelRelease: await kernelReleaseOf(root) };
}

async function kernelReleaseOf(root: string): Promise<string> {
  const images = (await readdir(path.join(root, 'boot'))).filter((name) => name.startsWith('vmlinuz-'));
  const [image] = images;
  if (!image || images.length > 1) {
    throw new SetupError('BAD_KERNEL', `${root}/boot holds ${images.length} kernels, expected one vmlinuz-*`);
  }
  return image.slice('vmlinuz-'.length);
}
