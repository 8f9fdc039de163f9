import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type CpioEntry, writeCpio } from './cpio.ts';
import { SOURCE_DATE_EPOCH } from './debian.ts';
import { hashFile, hashOf } from './hash.ts';
import type { Kernel } from './kernel.ts';
import { moduleName } from './modules.ts';
import { guestFiles } from './paths.ts';
import type { Artefact, Store } from './store.ts';

export interface Initrd extends Artefact {
  hash: string;
  file: string;
}

/**
 * The small initrd: busybox, the modules that reach the root image, and guest/initrd-init. It is not compressed, which under
 * TCG is faster than anything a compressor saves.
 */
export async function provideInitrd(store: Store, kernel: Kernel, busybox: string): Promise<Initrd> {
  const init = path.join(guestFiles, 'initrd-init');
  const hash = hashOf({ recipe: 1, kernel: kernel.hash, busybox: await hashFile(busybox), init: await hashFile(init) });
  const artefact = await store.produce('initrd', hash, async (folder) => {
    const entries: CpioEntry[] = [
      ...['bin', 'dev', 'proc', 'sys', 'root', 'modules'].map(
        (name): CpioEntry => ({ name, type: 'directory', mode: 0o755 }),
      ),
      { name: 'dev/console', type: 'character', mode: 0o600, device: [5, 1] },
      { name: 'bin/busybox', type: 'file', mode: 0o755, data: await readFile(busybox) },
      { name: 'init', type: 'file', mode: 0o755, data: await readFile(init) },
    ];
    for (const [index, file] of kernel.initrdFiles.entries()) {
      const order = String(index).padStart(2, '0');
      const data = await readFile(path.join(kernel.modules, file));
      entries.push({ name: `modules/${order}-${moduleName(file)}.ko`, type: 'file', mode: 0o644, data });
    }
    await writeFile(path.join(folder, 'initrd.img'), writeCpio(entries, Number(SOURCE_DATE_EPOCH)));
  });
  return { ...artefact, hash, file: path.join(artefact.path, 'initrd.img') };
}
