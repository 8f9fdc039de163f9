import path from 'node:path';
import { run } from './command.ts';
import { extractPackages, RELEASE } from './debian.ts';
import { hashOf } from './hash.ts';
import type { Artefact, Store } from './store.ts';

/** What the agent runs on and what it runs. */
const packages = ['base-files', 'netbase', 'nodejs', 'runc', 'busybox-static', 'iproute2', 'kmod', 'iptables'];

/** Folders and files of those packages that nothing in the guest opens. Copyright files stay. */
const unused = [
  ...['locale', 'man', 'info', 'zoneinfo', 'lintian', 'perl5', 'pixmaps', 'bash-completion', 'bug', 'debconf'].map(
    (name) => `usr/share/${name}`,
  ),
  ...['@types', '@fastify', 'corepack', 'undici-types', 'acorn-node', 'acorn-loose', 'acorn-globals'].map(
    (name) => `usr/share/nodejs/${name}`,
  ),
  // Node itself reads undici's bundle alone.
  'usr/share/nodejs/undici/lib',
  ...['gconv', 'libdb-5.3.so', 'libicutu.so.76.1', 'libmvec.so.1', 'e2fsprogs'].map(
    (name) => `usr/lib/x86_64-linux-gnu/${name}`,
  ),
  ...['tc', 'tipc', 'vdpa', 'devlink', 'dcb', 'arpd'].map((name) => `usr/sbin/${name}`),
  ...['usr/bin/ss', 'usr/bin/rdma', 'usr/bin/corepack', 'usr/lib/modules', 'var/cache', 'var/lib/apt', 'var/lib/dpkg'],
];

export interface Base extends Artefact {
  hash: string;
  root: string;
  /** Static busybox of the same packages. */
  busybox: string;
}

/** Debian's part of the guest's root: changes seldom, so the agent and the driver are laid over it when the image is packed. `more` are further packages. */
export async function provideBase(store: Store, more: readonly string[] = []): Promise<Base> {
  const all = [...packages, ...more];
  const hash = hashOf({ recipe: 4, release: RELEASE, packages: all, unused });
  const artefact = await store.produce('base', hash, async (folder) => {
    const root = await extractPackages(folder, { packages: all });
    await run('rm', ['-rf', '--', ...unused.map((name) => path.join(root, name))], { root: true });
    const doc = path.join(root, 'usr/share/doc');
    await run('find', [doc, '-type', 'f', '!', '-name', 'copyright', '-delete'], { root: true });
  });
  const root = path.join(artefact.path, 'root');
  return { ...artefact, hash, root, busybox: path.join(root, 'usr/bin/busybox') };
}
