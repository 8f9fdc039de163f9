import { closeSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
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
  test('is made with everything above it, and opened', () => {
    const fd = openDirectoryBelow(base, `${base}/a/b/c`);
    expect(readlinkSync(`/proc/self/fd/${fd}`)).toBe(`${base}/a/b/c`);
    closeSync(fd);
  });

  test.each(['a link to a directory', 'a link out of the base'])('is never reached through %s', (kind) => {
    mkdirSync(`${base}/real`);
    symlinkSync(kind === 'a link to a directory' ? 'real' : '/tmp', `${base}/link`);
    expect(() => openDirectoryBelow(base, `${base}/link/x`)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
    expect(existsSync(`${base}/real/x`)).toBe(false);
  });

  test('leaves no descriptor open when it fails', () => {
    symlinkSync('/tmp', `${base}/link`);
    const open = () => readdirSync('/proc/self/fd').length;
    const before = open();
    for (let count = 0; count < 5; count++) expect(() => openDirectoryBelow(base, `${base}/a/../link/x`)).toThrow();
    expect(open()).toBe(before);
  });
});
