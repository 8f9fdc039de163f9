import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { create } from '@bufbuild/protobuf';
import { CopyFileRequestSchema } from '@kata-mock/contracts';
import type { HandlerContext } from 'ttrpc-ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FakeAgent, fakeAgent } from '../../testing/fake-agent.ts';
import { copyFile } from './copy-file.ts';

let fake: FakeAgent;
let base: string;
beforeEach(() => {
  fake = fakeAgent();
  ({ base } = fake.agent.paths);
});
afterEach(() => fake.remove());

const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const copy = (name: string, fields: object) =>
  copyFile(fake.agent)(
    create(CopyFileRequestSchema, { path: `${base}/${name}`, fileMode: 0o100640, ...own, ...fields }),
    {} as HandlerContext,
  );
const piece = (text: string, offset: bigint, fileSize: bigint) => ({ data: Buffer.from(text), offset, fileSize });

describe('a file that is copied', () => {
  test('appears when its last piece is there, with its mode; a piece may come twice', () => {
    copy('dir/file', piece('abc', 0n, 6n));
    copy('dir/file', piece('bcd', 1n, 6n));
    expect(existsSync(`${base}/dir/file`)).toBe(false);
    copy('dir/file', piece('ef', 4n, 6n));
    expect(readFileSync(`${base}/dir/file`, 'utf8')).toBe('abcdef');
    expect(statSync(`${base}/dir/file`).mode & 0o777).toBe(0o640);
    expect(readdirSync(`${base}/dir`)).toEqual(['file']);
  });

  test('may be empty, and takes the place of an older one in one step', () => {
    copy('file', piece('old', 0n, 3n));
    copy('file', piece('ne', 0n, 3n));
    expect(readFileSync(`${base}/file`, 'utf8')).toBe('old');
    copy('file', piece('w', 2n, 3n));
    expect(readFileSync(`${base}/file`, 'utf8')).toBe('new');
    copy('empty', piece('', 0n, 0n));
    expect(readFileSync(`${base}/empty`, 'utf8')).toBe('');
  });

  test.each([
    ['a hole', piece('x', 3n, 9n), 'leaves a hole: 0 bytes'],
    ['more than its size', piece('abc', 0n, 2n), 'outside its 2 bytes'],
    ['a negative place', piece('abc', -1n, 9n), 'outside its 9 bytes'],
    ['a device', { fileMode: 0o020644 }, 'none of file, directory and link'],
  ])('is refused with %s', (_, fields, message) => {
    expect(() => copy('file', fields)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(message) }),
    );
    expect(existsSync(`${base}/file`)).toBe(false);
  });

  test('goes through no link, and waits for no pipe that stands in its place', () => {
    mkdirSync(`${base}/real`);
    symlinkSync('real', `${base}/link`);
    expect(() => copy('link/file', piece('x', 0n, 1n))).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    symlinkSync(`${base}/target`, `${base}/a.kata-part`);
    expect(() => copy('a', piece('x', 0n, 1n))).toThrow('ELOOP');
    execFileSync('mkfifo', [`${base}/b.kata-part`]);
    expect(() => copy('b', piece('x', 0n, 1n))).toThrow('ENXIO');
    expect(existsSync(`${base}/target`)).toBe(false);
  });
});

test('directories and links are made, links anew', () => {
  copy('dir', { fileMode: 0o040711 });
  copy('dir', { fileMode: 0o040755 });
  expect(statSync(`${base}/dir`).mode & 0o777).toBe(0o755);
  for (const to of ['one', '/two']) copy('dir/link', { fileMode: 0o120777, data: Buffer.from(to) });
  symlinkSync('dir', `${base}/away`);
  expect(() => copy('away', { fileMode: 0o040700 })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  expect(statSync(`${base}/dir`).mode & 0o777).toBe(0o755);
  expect(lstatSync(`${base}/dir/link`).isSymbolicLink()).toBe(true);
  expect(readlinkSync(`${base}/dir/link`)).toBe('/two');
});
