import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { removeTree } from './store.ts';

/** Removes every artefact, and says which Debian packages set-up had installed (they stay). */
export async function clean(build: string, write: (text: string) => void): Promise<void> {
  const recorded = await readFile(path.join(build, 'installed-packages'), 'utf8').catch(() => '');
  const packages = [...new Set(recorded.split(/\s+/).filter(Boolean))];
  await removeTree(build);
  write(`removed ${build}\n`);
  if (packages.length > 0) {
    write(`Debian packages that set-up installed and that stay: ${packages.join(' ')}\n`);
    write(`to remove them too: apt-get remove ${packages.join(' ')}\n`);
  }
}
