import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Base } from './base.ts';
import { run } from './command.ts';
import { runFrom, SOURCE_DATE_EPOCH } from './debian.ts';
import type { Driver } from './driver.ts';
import { SetupError } from './errors.ts';
import { hashOf, hashTree } from './hash.ts';
import type { Kernel } from './kernel.ts';
import { writeOverlay } from './overlay.ts';
import { guestFiles } from './paths.ts';
import type { Snapshot } from './snapshot.ts';
import { type Artefact, removeTree, type Store } from './store.ts';
import type { Toolchain } from './toolchain.ts';
import type { WordList } from './word-list.ts';

/** Any fixed UUID: a random one would make two builds differ. */
const IMAGE_UUID = '6b617461-2d6d-4f63-8b2d-726f6f740001';

export interface RootImage extends Artefact {
  hash: string;
  file: string;
}

export interface RootImageInput {
  base: Base;
  kernel: Kernel;
  driver: Driver;
  toolchain: Toolchain;
  wordList: WordList;
  /** Folder of the bundled agent. */
  agent: string;
  snapshot: Snapshot | undefined;
  /** Changes what is laid over Debian's files; `recipe` is something that differs when its result does. */
  change?: { recipe: string; apply: (overlay: string) => Promise<void> };
}

/** Packs Debian's files and ours into one read-only erofs image, not compressed (see docs/guest-image.md for the figures). */
export async function provideRootImage(store: Store, input: RootImageInput): Promise<RootImage> {
  await access(path.join(input.agent, 'main.js')).catch(() => {
    throw new SetupError(
      'MISSING_BUNDLE',
      `${input.agent}/main.js does not exist: run "npm run build" (or make build) first`,
    );
  });
  const hash = hashOf({
    recipe: 4,
    base: input.base.hash,
    kernel: input.kernel.hash,
    driver: input.driver.hash,
    words: input.wordList.hash,
    guest: await hashTree(guestFiles),
    agent: await hashTree(input.agent, (name) => !name.endsWith('.map')),
    snapshot: input.snapshot?.hash,
    change: input.change?.recipe,
    overlay: await readFile(new URL('./overlay.ts', import.meta.url), 'utf8'),
  });
  const artefact = await store.produce('root', hash, async (folder) => {
    const overlay = path.join(folder, 'overlay');
    await mkdir(overlay);
    await writeOverlay(overlay, {
      kernelRelease: input.kernel.release,
      modules: input.kernel.modules,
      driver: input.driver.file,
      wordList: input.wordList,
      agent: input.agent,
      snapshot: input.snapshot?.file,
    });
    await input.change?.apply(overlay);
    await writeModuleIndex(overlay, input);
    await pack(folder, [input.base.root, overlay], input.toolchain);
    await removeTree(overlay);
  });
  return { ...artefact, hash, file: path.join(artefact.path, 'root.erofs') };
}

/** Runs the toolchain's depmod on the overlay: kmod in the guest finds modules by its index. */
async function writeModuleIndex(overlay: string, { toolchain, kernel }: RootImageInput): Promise<void> {
  // depmod looks below <base>/lib/modules; the overlay has only usr/lib, as /lib is a link in the base.
  await runFrom(toolchain.root, 'usr/sbin/depmod', ['-b', path.join(overlay, 'usr'), kernel.release]);
}

async function pack(folder: string, roots: readonly string[], toolchain: Toolchain): Promise<void> {
  const tar = path.join(folder, 'root.tar');
  const image = path.join(folder, 'root.erofs');
  const fixed = [
    '--sort=name',
    '--format=gnu',
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    `--mtime=@${SOURCE_DATE_EPOCH}`,
  ];
  const members = roots.flatMap((root) => ['-C', root, '.']);
  await run('tar', ['-cf', tar, ...fixed, '--exclude=./dev/*', ...members], { root: true });
  const options = ['--quiet', '-T', SOURCE_DATE_EPOCH, '-U', IMAGE_UUID, '--tar=f'];
  await runFrom(toolchain.root, 'usr/bin/mkfs.erofs', [...options, image, tar]);
  await run('rm', ['-f', tar], { root: true });
  await writeFile(path.join(folder, 'uuid'), `${IMAGE_UUID}\n`);
}
