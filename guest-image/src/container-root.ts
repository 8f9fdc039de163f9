import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from './command.ts';
import { hashFile, hashOf } from './hash.ts';
import type { Artefact, Store } from './store.ts';

/** The small container root of `kata-mock run` without bundle or rootfs: busybox with every command it has. */
export async function provideContainerRoot(store: Store, busybox: string): Promise<Artefact & { hash: string }> {
  const hash = hashOf({ recipe: 1, busybox: await hashFile(busybox) });
  const artefact = await store.produce('rootfs', hash, async (folder) => {
    for (const name of ['bin', 'dev', 'etc', 'proc', 'root', 'run', 'sys', 'tmp', 'var']) {
      await mkdir(path.join(folder, name));
    }
    for (const name of ['sbin', 'usr']) await symlink(name === 'usr' ? '.' : 'bin', path.join(folder, name));
    await copyFile(busybox, path.join(folder, 'bin/busybox'));
    const { stdout } = await run(busybox, ['--list']);
    for (const name of stdout.split('\n').filter((applet) => /^[\w[.-]+$/.test(applet) && applet !== 'busybox')) {
      await symlink('busybox', path.join(folder, 'bin', name));
    }
    await writeFile(path.join(folder, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
    await writeFile(path.join(folder, 'etc/group'), 'root:x:0:\n');
    await writeFile(path.join(folder, 'etc/hosts'), '127.0.0.1 localhost\n');
  });
  return { ...artefact, hash };
}
