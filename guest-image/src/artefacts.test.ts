import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readArtefacts, recordArtefacts } from './artefacts.ts';
import { clean } from './clean.ts';

let build = '';
beforeEach(async () => {
  build = path.join(await mkdtemp(path.join(os.tmpdir(), 'km-build-')), 'build');
});
afterEach(() => rm(path.dirname(build), { recursive: true, force: true }));

it('adds what a step made to what earlier steps wrote', async () => {
  await recordArtefacts(build, { kernel: '/k', hashes: { kernel: '1' } });
  await recordArtefacts(build, { initrd: '/i', hashes: { initrd: '2' } });
  expect(await readArtefacts(build)).toEqual({
    version: 1,
    kernel: '/k',
    initrd: '/i',
    hashes: { kernel: '1', initrd: '2' },
  });
  expect(await readdir(build)).toEqual(['artefacts.json']);
});

it('takes a file that is no JSON for none', async () => {
  await recordArtefacts(build, {});
  await writeFile(path.join(build, 'artefacts.json'), '{"version":');
  expect(await readArtefacts(build)).toEqual({ version: 1, hashes: {} });
});

it('cleans everything and names the Debian packages that stay', async () => {
  await recordArtefacts(build, { kernel: '/k' });
  await writeFile(path.join(build, 'installed-packages'), 'mmdebstrap\nxz-utils\nmmdebstrap\n');
  let text = '';
  await clean(build, (part) => {
    text += part;
  });
  await expect(readdir(build)).rejects.toMatchObject({ code: 'ENOENT' });
  expect(text).toContain('apt-get remove mmdebstrap xz-utils\n');
});
