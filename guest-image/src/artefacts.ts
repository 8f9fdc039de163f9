import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** `build/artefacts.json`: where everything is that set-up made. Paths are absolute. */
export interface Artefacts {
  version: 1;
  /** An executable that is QEMU with vfio-user-pci. */
  qemu?: { path: string; version: string; source: 'host' | 'private' };
  virtiofsd?: { path: string };
  /** ELF kernel, booted by PVH. */
  kernel?: string;
  kernelRelease?: string;
  initrd?: string;
  /** erofs image, to be attached read-only with serial kata-mock-root. */
  rootImage?: string;
  /** Busybox container root, a folder. */
  rootfs?: string;
  /** Debian root with gcc, make and the kernel headers. */
  toolchain?: string;
  /** Content hash of each artefact, by kind. */
  hashes: Record<string, string>;
}

const NAME = 'artefacts.json';

/** Adds to what earlier steps wrote; the file is replaced in one go. */
export async function recordArtefacts(build: string, change: Omit<Partial<Artefacts>, 'version'>): Promise<Artefacts> {
  const before = await readArtefacts(build);
  const after: Artefacts = { ...before, ...change, hashes: { ...before.hashes, ...change.hashes } };
  await mkdir(build, { recursive: true });
  const scratch = path.join(build, `.${NAME}.${process.pid}`);
  await writeFile(scratch, `${JSON.stringify(after, null, 2)}\n`);
  await rename(scratch, path.join(build, NAME));
  return after;
}

export async function readArtefacts(build: string): Promise<Artefacts> {
  try {
    return JSON.parse(await readFile(path.join(build, NAME), 'utf8')) as Artefacts;
  } catch {
    return { version: 1, hashes: {} };
  }
}
