import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { directory, put, spec } from '../../test-support/directories.ts';
import { Cache } from '../cache/cache.ts';
import { readCdiSpec } from '../load/file.ts';
import { specNameFor, transientSpecNameFor } from './names.ts';
import { removeSpec, writeSpec } from './write.ts';

const content = spec({ yes: { env: ['A=0600'], deviceNodes: [{ path: '/d', fileMode: 0o600 }] } });

describe('names of spec files', () => {
  it('are vendor and class, with the id of what they live for', () => {
    expect(specNameFor({ kind: 'vendor.com/net.x' })).toBe('vendor.com-net.x');
    expect(transientSpecNameFor({ kind: 'v/c' }, 'pod/7/x')).toBe('v-c_pod_7_x');
    expect(() => specNameFor({ kind: 'v' })).toThrow('invalid vendor');
    expect(() => transientSpecNameFor({ kind: 'v/c' }, '')).toThrow('the transient id is empty');
  });

  it.each([
    ['a', 'a.yaml'],
    ['a.json', 'a.json'],
    ['a.yaml', 'a.yaml'],
    ['my.spec', 'my.spec.yaml'],
    ['a.yml', 'a.yml.yaml'],
  ])('%s is written to %s', (name, file) => {
    expect(path.basename(writeSpec(directory(), name, content))).toBe(file);
  });

  it.each(['', '.', '..', 'a/b', '../a', 'a\0b', 'x'.repeat(251)])('%j is refused', (name) => {
    const base = directory();
    expect(() => writeSpec(path.join(base, 'in'), name, content)).toThrow(/file name/);
    expect(() => removeSpec(base, name)).toThrow(/file name/);
    expect(readdirSync(base)).toEqual([]);
  });
});

describe('writeSpec', () => {
  it('makes the directory, leaves one file that everybody may read, and that reads back the same', () => {
    const dir = path.join(directory(), 'deep', 'cdi');
    const before = process.umask(0o077);
    try {
      const file = writeSpec(dir, 'a', content);
      expect(statSync(file).mode & 0o777).toBe(0o644);
      expect(readFileSync(file, 'utf8')).toMatch(
        /^---\ncdiVersion: 1\.1\.0\nkind: vendor\.com\/device\ndevices:\n {4}- name: "yes"\n/,
      );
      expect(readCdiSpec(file)).toEqual(content);
      expect(readdirSync(dir)).toEqual(['a.yaml']);
    } finally {
      process.umask(before);
    }
  });

  it('writes JSON on one line', () => {
    const text = readFileSync(writeSpec(directory(), 'a.json', content), 'utf8');
    expect(text).toBe(`${JSON.stringify(content)}\n`);
  });

  it('takes another mode, 0600 with compat go', () => {
    const dir = directory();
    expect(statSync(writeSpec(dir, 'a', content, { mode: 0o640 })).mode & 0o777).toBe(0o640);
    expect(statSync(writeSpec(dir, 'b', content, { compat: 'go' })).mode & 0o777).toBe(0o600);
  });

  it('replaces a file unless told not to, and then leaves nothing behind', () => {
    const dir = directory({ 'a.yaml': 'old' });
    expect(() => writeSpec(dir, 'a', content, { overwrite: false })).toThrow('exists and is not to be overwritten');
    expect([readdirSync(dir), readFileSync(path.join(dir, 'a.yaml'), 'utf8')]).toEqual([['a.yaml'], 'old']);
    writeSpec(dir, 'a', content);
    expect(readCdiSpec(path.join(dir, 'a.yaml'))).toEqual(content);
    writeSpec(dir, 'b', content, { overwrite: false });
    expect(readdirSync(dir)).toEqual(['a.yaml', 'b.yaml']);
  });

  it('refuses a spec that could not be read', () => {
    const dir = directory();
    expect(() => writeSpec(dir, 'a', spec([]))).toThrow('at least one device');
    expect(() => writeSpec(dir, 'a', { ...content, extra: 1 } as never)).toThrow('unknown member "extra"');
    expect(readdirSync(dir)).toEqual([]);
  });

  it('says why it cannot', () => {
    expect(() => writeSpec(put(directory(), 'file', ''), 'a', content)).toThrow(
      /failed to write CDI spec .*file\/a\.yaml: E/,
    );
  });

  it.skipIf(process.getuid?.() === 0)('says so when it may not (not as root, who may write everywhere)', () => {
    const dir = directory();
    chmodSync(dir, 0o500);
    expect(() => writeSpec(dir, 'a', content)).toThrow('EACCES');
  });
});

it('a cache writes to and removes from its directory of the highest priority', () => {
  const [low, high] = [directory(), directory()];
  const cache = new Cache({ specDirs: [low, high], autoRefresh: false });
  expect(cache.writeSpec(content, 'a.json')).toBe(path.join(high, 'a.json'));
  cache.refresh();
  expect(cache.listDevices()).toHaveLength(1);
  cache.removeSpec('a.json');
  cache.removeSpec('a.json');
  cache.refresh();
  expect(cache.listDevices()).toHaveLength(0);
});
