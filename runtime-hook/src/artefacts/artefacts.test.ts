import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cloneRoot, loadArtefacts } from './artefacts.ts';

let dir: string;
let file: string;
const good = {
  version: 1,
  qemu: { path: 'qemu', version: '11.1.3', source: 'private' },
  virtiofsd: { path: 'virtiofsd' },
  kernel: 'vmlinux',
  initrd: 'initrd',
  rootImage: 'root.img',
  rootfs: 'rootfs',
  wrapper: 'qemu',
  hashes: {},
};

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'kata-mock-artefacts-'));
  file = path.join(dir, 'artefacts.json');
  for (const name of ['qemu', 'virtiofsd', 'vmlinux', 'initrd', 'root.img']) writeFileSync(path.join(dir, name), '');
  for (const name of ['qemu', 'virtiofsd']) chmodSync(path.join(dir, name), 0o755);
  mkdirSync(path.join(dir, 'rootfs'));
});
afterEach(() => rmSync(dir, { recursive: true }));

describe('loadArtefacts', () => {
  it('takes paths relative to the file', () => {
    writeFileSync(file, JSON.stringify(good));
    expect(loadArtefacts(file)).toMatchObject({ kernel: path.join(dir, 'vmlinux'), qemu: { version: '11.1.3' } });
  });

  it.each([
    ['a clone that was not set up', () => rmSync(file, { force: true }), /not been set up/],
    ['broken JSON', () => writeFileSync(file, '{'), /is not JSON/],
    ['another version', () => writeFileSync(file, '{"version": 2}'), /not of version 1/],
    [
      'no virtiofsd',
      () => writeFileSync(file, JSON.stringify({ ...good, virtiofsd: undefined })),
      /names no virtiofsd/,
    ],
    ['an image that is gone', () => rmSync(path.join(dir, 'root.img')), /no root image at .*root\.img/],
    [
      'a container root that is a file',
      () => writeFileSync(file, JSON.stringify({ ...good, rootfs: 'qemu' })),
      /not a directory/,
    ],
    ['a QEMU that cannot be executed', () => chmodSync(path.join(dir, 'qemu'), 0o644), /QEMU .* cannot be executed/],
  ])('refuses %s and says how to mend it', (_what, spoil, message) => {
    writeFileSync(file, JSON.stringify(good));
    spoil();
    expect(() => loadArtefacts(file)).toThrow(
      expect.objectContaining({ code: 'HOST', hint: expect.stringContaining('make setup') }),
    );
    expect(() => loadArtefacts(file)).toThrow(message);
  });

  it('finds the clone from a file inside it', () => {
    expect(cloneRoot()).toBe(path.resolve(import.meta.dirname, '../../..'));
  });
});
