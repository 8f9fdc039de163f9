import { spawn } from 'node:child_process';
import { mkdtemp, rm, stat, truncate, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Artefacts, hashFile, imageWithAgent, readArtefacts } from '../../guest-image/src/index.ts';
import { EMULATED_CPU, QUICK_BOOT } from '../support/emulation.ts';
import { build, root } from '../support/paths.ts';

/** What the specification allows. */
const IMAGE_LIMIT = 150_000_000;

let artefacts: Artefacts;
let folder = '';

beforeAll(async () => {
  artefacts = await readArtefacts(build);
  folder = await mkdtemp(path.join(os.tmpdir(), 'km-image-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('root image', () => {
  it('is 150 MB or less', async () => {
    expect((await stat(artefacts.rootImage!)).size).toBeLessThanOrEqual(IMAGE_LIMIT);
  });

  it('comes out with the same bytes when it is built twice', async () => {
    const agent = path.join(root, 'dist/agent');
    const hashes: string[] = [];
    for (const name of ['first', 'second']) {
      const store = path.join(folder, name);
      hashes.push(await hashFile(await imageWithAgent(store, agent)));
      await rm(store, { recursive: true });
    }
    expect(hashes[1]).toBe(hashes[0]);
  });
});

describe('initrd', () => {
  it('says what is missing and powers off when there is no root disk', async () => {
    const { status, console } = await bootWith([]);
    expect(console).toContain('no virtio disk with serial kata-mock-root appeared in 10 s');
    expect(status).toBe(0);
  });

  it('says so when the disk is no image of ours', async () => {
    const file = path.join(folder, 'zeros.img');
    await writeFile(file, '');
    await truncate(file, 2 ** 20);
    const disk = ['-drive', `if=none,id=root,file=${file},format=raw,readonly=on`];
    const { status, console } = await bootWith([...disk, '-device', 'virtio-blk-pci,drive=root,serial=kata-mock-root']);
    expect(console).toContain('cannot mount /dev/vda: is it a kata-mock root image?');
    expect(status).toBe(0);
  });
});

describe('the agent', () => {
  // The snapshot was made on this machine's CPU; an emulated one without most of its features takes it too. Under a name that
  // is not QEMU's own it could be a real CPU, where the agent starts without it.
  it.each(['qemu64', 'Nehalem'])('starts on a CPU of the model %s', async (cpu) => {
    const disk = ['-drive', `if=none,id=root,file=${artefacts.rootImage!},format=raw,readonly=on`];
    const device = ['-device', 'virtio-blk-pci,drive=root,serial=kata-mock-root'];
    const { console } = await bootWith([...disk, ...device], { cpu, until: 'agent ready' });
    expect(console).toContain('"msg":"agent ready"');
  });
});

interface Boot {
  cpu?: string;
  /** Ends QEMU when this has been printed. */
  until?: string;
}

/** Boots kernel and initrd until QEMU ends by itself. */
async function bootWith(
  extra: string[],
  { cpu = EMULATED_CPU, until }: Boot = {},
): Promise<{ status: number | null; console: string }> {
  const { qemu, kernel, initrd } = artefacts;
  const args = [
    ...['-nodefaults', '-display', 'none', '-machine', 'q35', '-accel', 'tcg', '-cpu', cpu, '-m', '512'],
    ...['-serial', 'stdio', '-no-reboot', '-kernel', kernel!, '-initrd', initrd!],
    ...['-append', `console=ttyS0 quiet panic=-1 ${QUICK_BOOT}`, ...extra],
  ];
  const child = spawn(qemu!.path, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 120_000,
    killSignal: 'SIGKILL',
  });
  let console = '';
  child.stdout.on('data', (part) => {
    console += part;
    if (until !== undefined && console.includes(until)) child.kill('SIGKILL');
  });
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { status, console };
}
