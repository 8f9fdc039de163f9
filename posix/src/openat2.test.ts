import { closeSync, constants, mkdirSync, openSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openat2, RESOLVE_BENEATH, RESOLVE_IN_ROOT, RESOLVE_NO_SYMLINKS } from './openat2.ts';
import { codeOf, temporaryDirectory } from './testing.ts';

const directory = temporaryDirectory();
let root: number;

beforeAll(() => {
  mkdirSync(path.join(directory.path, 'root/etc'), { recursive: true });
  writeFileSync(path.join(directory.path, 'root/etc/passwd'), 'inside');
  symlinkSync('/etc', path.join(directory.path, 'root/absolute'));
  symlinkSync('../..', path.join(directory.path, 'root/up'));
  root = openSync(path.join(directory.path, 'root'), 'r');
});
afterAll(() => {
  closeSync(root);
  directory.remove();
});

const inside = (name: string, resolve: number) => {
  const fd = openat2(root, name, { flags: constants.O_RDONLY, resolve });
  try {
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
};

describe('openat2', () => {
  it('keeps absolute and upward links inside the root', () => {
    for (const name of ['etc/passwd', 'absolute/passwd', '/etc/passwd', '../../etc/passwd', 'up/etc/passwd']) {
      expect(inside(name, RESOLVE_IN_ROOT)).toBe('inside');
    }
  });

  it('refuses to leave a directory when told to stay beneath it', () => {
    for (const name of ['absolute/passwd', '/etc/passwd', '../root/etc/passwd', 'up/etc/passwd']) {
      expect(codeOf(() => inside(name, RESOLVE_BENEATH))).toBe('EXDEV');
    }
    expect(codeOf(() => inside('absolute/passwd', RESOLVE_NO_SYMLINKS))).toBe('ELOOP');
  });

  it('refuses a path with a NUL byte and quotes the call', () => {
    expect(codeOf(() => openat2(root, 'etc\0/passwd'))).toBe('EINVAL');
    expect(() => openat2(root, 'missing')).toThrow(
      /openat2\(\d+, "missing", \{flags: 0o10000000, resolve: 0x0\}\) failed: ENOENT/,
    );
  });

  it('creates files with the permissions asked for', () => {
    const fd = openat2(root, 'new', { flags: constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, mode: 0o600 });
    closeSync(fd);
    expect(inside('new', RESOLVE_BENEATH)).toBe('');
  });
});
