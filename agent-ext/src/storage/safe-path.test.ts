import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkBelow, openDirectoryBelow } from './safe-path.ts';

let base: string;
beforeEach(() => {
  base = mkdtempSync(path.join(tmpdir(), 'safe-path-'));
});
afterEach(() => rmSync(base, { recursive: true }));

describe('a path of a request', () => {
  test.each(['/base/x', '/base/x/y.z', '/base/x/'])('%s is below /base', (file) => {
    expect(() => checkBelow('/base', file, 'mount point')).not.toThrow();
  });

  test.each([
    '/base',
    '/base/',
    '/basement/x',
    '/base/../etc',
    '/base/x/../../etc',
    '/base//x',
    '/base/./x',
    'base/x',
    '',
    '/base/x\0',
  ])('%j is refused', (file) => {
    expect(() => checkBelow('/base', file, 'mount point')).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});

describe('a directory below the base', () => {
  test('is made with everything above it, and opened', async () => {
    const fd = await openDirectoryBelow(base, `${base}/a/b/c`);
    expect(readlinkSync(`/proc/self/fd/${fd}`)).toBe(`${base}/a/b/c`);
    closeSync(fd);
  });

  test('gets the mode that is asked for, whatever the umask; one that was there keeps its own', async () => {
    mkdirSync(`${base}/old`, { mode: 0o700 });
    closeSync(await openDirectoryBelow(base, `${base}/old/a/b`, 0o777));
    expect(['old', 'old/a', 'old/a/b'].map((name) => statSync(`${base}/${name}`).mode & 0o777)).toEqual([
      0o700, 0o777, 0o777,
    ]);
  });

  test('is made once when two ask for it at the same time', async () => {
    for (const fd of await Promise.all([1, 2, 3].map(() => openDirectoryBelow(base, `${base}/a/b/c`)))) closeSync(fd);
    expect(readdirSync(`${base}/a/b`)).toEqual(['c']);
  });

  test.each(['a link to a directory', 'a link out of the base'])('is never reached through %s', async (kind) => {
    mkdirSync(`${base}/real`);
    symlinkSync(kind === 'a link to a directory' ? 'real' : '/tmp', `${base}/link`);
    await expect(openDirectoryBelow(base, `${base}/link/x`)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(existsSync(`${base}/real/x`)).toBe(false);
  });

  test('leaves no descriptor open when it fails', async () => {
    symlinkSync('/tmp', `${base}/link`);
    const open = () => readdirSync('/proc/self/fd').length;
    const before = open();
    for (let count = 0; count < 5; count++) await expect(openDirectoryBelow(base, `${base}/link/x`)).rejects.toThrow();

    expect(open()).toBe(before);
  });
});
