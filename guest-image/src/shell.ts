import { mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type CpioEntry, writeCpio } from './cpio.ts';
import { SOURCE_DATE_EPOCH } from './debian.ts';
import { hashFile, hashOf } from './hash.ts';
import { guestFiles } from './paths.ts';
import type { Artefact, Store } from './store.ts';

/** Folder below build/ with links to what boots a guest with a shell. */
const FOLDER = 'shell';

/** An initrd that is a whole guest: busybox on the serial line, in the time the kernel needs. For trying devices of one's own. */
export async function provideShell(store: Store, busybox: string): Promise<Artefact & { hash: string; file: string }> {
  const init = path.join(guestFiles, 'shell-init');
  const hash = hashOf({ recipe: 1, busybox: await hashFile(busybox), init: await hashFile(init) });
  const artefact = await store.produce('shell-initrd', hash, async (folder) => {
    const entries: CpioEntry[] = [
      ...['bin', 'dev', 'proc', 'sys', 'tmp'].map((name): CpioEntry => ({ name, type: 'directory', mode: 0o755 })),
      { name: 'dev/console', type: 'character', mode: 0o600, device: [5, 1] },
      { name: 'bin/busybox', type: 'file', mode: 0o755, data: await readFile(busybox) },
      { name: 'init', type: 'file', mode: 0o755, data: await readFile(init) },
    ];
    await writeFile(path.join(folder, 'initrd.img'), writeCpio(entries, Number(SOURCE_DATE_EPOCH)));
  });
  return { ...artefact, hash, file: path.join(artefact.path, 'initrd.img') };
}

/** Links build/shell/NAME to each file: names without a hash, for commands that people read and type. */
export async function linkShell(build: string, files: Record<string, string | undefined>): Promise<void> {
  const folder = path.join(build, FOLDER);
  await mkdir(folder, { recursive: true });
  for (const [name, file] of Object.entries(files)) {
    if (file === undefined) continue;
    const scratch = path.join(folder, `.${name}.${process.pid}`);
    await symlink(file, scratch);
    await rename(scratch, path.join(folder, name));
  }
}
