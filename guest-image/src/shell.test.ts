import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { linkShell } from './shell.ts';

let build = '';
beforeEach(async () => {
  build = await mkdtemp(path.join(os.tmpdir(), 'km-shell-'));
});
afterEach(() => rm(build, { recursive: true }));

it('links what a shell guest boots from by names that stay, and leaves out what set-up has not made', async () => {
  await linkShell(build, { vmlinux: '/old/vmlinux', 'qemu-system-x86_64': undefined });
  await linkShell(build, { vmlinux: '/new/vmlinux', 'initrd.img': '/new/initrd.img' });
  const folder = path.join(build, 'shell');
  expect((await readdir(folder)).sort()).toEqual(['initrd.img', 'vmlinux']);
  expect(await readlink(path.join(folder, 'vmlinux'))).toBe('/new/vmlinux');
});
