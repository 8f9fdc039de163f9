import { readFileSync } from 'node:fs';
import path from 'node:path';
import { build } from './paths.ts';

/** What set-up made; the fields tests use. */
export interface Artefacts {
  qemu: { path: string };
  virtiofsd: { path: string };
  kernel: string;
  initrd: string;
  rootImage: string;
  rootfs: string;
  toolchain: string;
  /** The driver, built for the guest's kernel. */
  driver: string;
  /** The driver's word list. */
  wordList: string;
}

export function artefacts(): Artefacts {
  const file = path.join(build, 'artefacts.json');
  const found = JSON.parse(readFileSync(file, 'utf8')) as Record<keyof Artefacts, unknown> & {
    hashes: Record<string, string>;
  };
  const { hashes } = found;
  const absolute = (value: unknown) => path.resolve(build, String(value));
  return {
    qemu: { path: absolute((found.qemu as { path: string }).path) },
    virtiofsd: { path: absolute((found.virtiofsd as { path: string }).path) },
    kernel: absolute(found.kernel),
    initrd: absolute(found.initrd),
    rootImage: absolute(found.rootImage),
    rootfs: absolute(found.rootfs),
    toolchain: absolute(found.toolchain),
    driver: absolute(`driver/${hashes.driver}/mock-accel.ko`),
    wordList: absolute(`words/${hashes.words}/words.txt`),
  };
}
