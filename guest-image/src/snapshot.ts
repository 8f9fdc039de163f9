import { copyFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Base } from './base.ts';
import { run } from './command.ts';
import { hashFile, hashOf } from './hash.ts';
import type { Artefact, Store } from './store.ts';

/** CPU features that V8 uses when it finds them. */
const CPU_FEATURES = [
  ...['sse3', 'ssse3', 'sse4-1', 'sse4-2', 'sahf', 'avx', 'avx2', 'fma3', 'bmi1', 'bmi2', 'lzcnt', 'popcnt'],
];

/**
 * Options of the guest's Node. A snapshot is refused under other V8 options or CPU features than it was made with, so all
 * are fixed: no CPU feature beyond x86-64's own, so that the CPU of the machine that makes the image does not count.
 * The heap limits keep Node small in a guest of 512 MB; the agent holds little data. One V8 thread: a guest has one CPU
 * more often than not, and with more the snapshot would differ from build to build.
 */
export const NODE_OPTIONS = [
  '--no-warnings',
  '--max-semi-space-size=1',
  '--max-old-space-size=128',
  '--single-threaded',
  '--mcpu=generic',
  ...CPU_FEATURES.map((name) => `--no-enable-${name}`),
];

export interface Snapshot extends Artefact {
  hash: string;
  file: string;
}

/**
 * Node's start-up snapshot of the agent, made by the image's own Node; undefined for an agent without `snapshot.cjs`.
 * The same bytes each time: addresses are not randomised, the process is the first of a pid namespace, random numbers
 * have a seed (V8 takes a new one for its hash tables when the snapshot is loaded), the environment is empty.
 */
export async function provideSnapshot(store: Store, base: Base, agent: string): Promise<Snapshot | undefined> {
  const bundle = path.join(agent, 'snapshot.cjs');
  if (!(await stat(bundle).catch(() => undefined))) return undefined;
  const hash = hashOf({ recipe: 1, base: base.hash, bundle: await hashFile(bundle), options: NODE_OPTIONS });
  const artefact = await store.produce('snapshot', hash, async (folder) => {
    await copyFile(bundle, path.join(folder, 'snapshot.cjs'));
    const node = ['/usr/bin/node', ...NODE_OPTIONS, '--random-seed=1'];
    const build = ['--snapshot-blob', '/tmp/agent.blob', '--build-snapshot', '/tmp/snapshot.cjs'];
    // The folder is seen at one place of the root, whatever its name, by this process alone.
    const script =
      'mount --bind "$1" "$2/tmp" && root=$2 && shift 2 && exec env -i PATH=/usr/sbin:/usr/bin setarch -R chroot "$root" "$@"';
    const args = ['--mount', '--pid', '--fork', 'sh', '-c', script, 'sh', folder, base.root, ...node, ...build];
    const { stderr } = await run('unshare', args, { root: true });
    await writeFile(path.join(folder, 'log'), stderr);
  });
  return { ...artefact, hash, file: path.join(artefact.path, 'agent.blob') };
}
