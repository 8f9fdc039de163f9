import { chmod, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hashFile, hashOf, hashTree } from './hash.ts';

let folder = '';
const at = (name: string) => path.join(folder, name);

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'km-hash-'));
  await mkdir(at('sub'));
  await writeFile(at('sub/file'), 'text');
  await symlink('file', at('sub/link'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('hashTree', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['bytes', () => writeFile(at('sub/file'), 'Text')],
    ['a name', () => writeFile(at('sub/more'), '')],
    ['the right to execute', () => chmod(at('sub/file'), 0o755)],
    ['the target of a link', () => rm(at('sub/link')).then(() => symlink('other', at('sub/link')))],
  ])('changes with %s', async (_what, change) => {
    const before = await hashTree(folder);
    await change();
    expect(await hashTree(folder)).not.toBe(before);
  });

  it('does not change with times', async () => {
    const before = await hashTree(folder);
    await utimes(at('sub/file'), 1, 1);
    expect(await hashTree(folder)).toBe(before);
  });

  it('leaves out what it is told to', async () => {
    const keep = (name: string) => !name.endsWith('.map');
    const before = await hashTree(folder, keep);
    await writeFile(at('sub/x.map'), '');
    expect(await hashTree(folder, keep)).toBe(before);
  });
});

it('hashes a file as sha256sum does', async () => {
  expect(await hashFile(at('sub/file'))).toBe('982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1');
});

it('tells inputs apart', () => {
  expect(hashOf({ a: ['x', 'y'] })).not.toBe(hashOf({ a: ['xy'] }));
});
