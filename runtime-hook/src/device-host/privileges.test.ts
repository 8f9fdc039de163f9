import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { findUser } from './privileges.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'kata-mock-user-'));
afterAll(() => rmSync(directory, { recursive: true }));

describe('the user of a device host', () => {
  const passwd = path.join(directory, 'passwd');
  writeFileSync(passwd, 'root:x:0:0::/root:/bin/sh\nkata-mock:x:991:990:::\n');

  test('is looked up', () => {
    expect(findUser('kata-mock', passwd)).toEqual({ uid: 991, gid: 990 });
  });

  test('may be nobody without an entry, and nobody else', () => {
    expect(findUser('nobody', passwd)).toEqual({ uid: 65534, gid: 65534 });
    expect(() => findUser('someone', passwd)).toThrow('user "someone" does not exist');
  });

  test('is never root', () => {
    expect(() => findUser('root', passwd)).toThrow('user "root" is root');
  });
});
