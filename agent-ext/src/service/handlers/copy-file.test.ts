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
let handler: ReturnType<typeof copyFile>;
beforeEach(() => {
  fake = fakeAgent();
  ({ base } = fake.agent.paths);
  handler = copyFile(fake.agent);
});
afterEach(() => fake.remove());

const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const copy = async (name: string, fields: object) =>
  handler(
    create(CopyFileRequestSchema, { path: `${base}/${name}`, fileMode: 0o100640, ...own, ...fields }),
    {} as HandlerContext,
  );
const piece = (text: string, offset: bigint, fileSize: bigint) => ({ data: Buffer.from(text), offset, fileSize });

describe('a file that is copied', () => {
  test('appears when its last piece is there, with its mode; a piece may come twice', async () => {
    await copy('dir/file', piece('abc', 0n, 6n));
    await copy('dir/file', piece('bcd', 1n, 6n));
    expect(existsSync(`${base}/dir/file`)).toBe(false);
    await copy('dir/file', piece('ef', 4n, 6n));
    expect(readFileSync(`${base}/dir/file`, 'utf8')).toBe('abcdef');
    expect(statSync(`${base}/dir/file`).mode & 0o777).toBe(0o640);
    expect(readdirSync(`${base}/dir`)).toEqual(['file']);
  });

  test('may be empty, and takes the place of an older one in one step', async () => {
    await copy('file', piece('old', 0n, 3n));
    await copy('file', piece('ne', 0n, 3n));
    expect(readFileSync(`${base}/file`, 'utf8')).toBe('old');
    await copy('file', piece('w', 2n, 3n));
    expect(readFileSync(`${base}/file`, 'utf8')).toBe('new');
    await copy('empty', piece('', 0n, 0n));
    expect(readFileSync(`${base}/empty`, 'utf8')).toBe('');
  });

  test.each([
    ['a hole', piece('x', 3n, 9n), 'leaves a hole: 0 bytes'],
    ['more than its size', piece('abc', 0n, 2n), 'outside its 2 bytes'],
    ['a negative place', piece('abc', -1n, 9n), 'outside its 9 bytes'],
    ['a device', { fileMode: 0o020644 }, 'none of file, directory and link'],
  ])('is refused with %s', async (_, fields, message) => {
    await expect(copy('file', fields)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(message),
    });
    expect(existsSync(`${base}/file`)).toBe(false);
  });

  test('makes directories above it with the mode that the request has for them, whatever the umask', async () => {
    mkdirSync(`${base}/old`, { mode: 0o700 });
    await copy('old/a/b/file', { ...piece('x', 0n, 1n), dirMode: 0o777 });
    expect(['old', 'old/a', 'old/a/b'].map((name) => statSync(`${base}/${name}`).mode & 0o777)).toEqual([
      0o700, 0o777, 0o777,
    ]);
    await copy('new/directory', { fileMode: 0o040711, dirMode: 0o775 });
    expect(['new', 'new/directory'].map((name) => statSync(`${base}/${name}`).mode & 0o777)).toEqual([0o775, 0o711]);
  });

  test.each([
    ['a hole', piece('x', 3n, 9n)],
    ['more than its size', piece('abc', 0n, 2n)],
    ['a device', { fileMode: 0o020644 }],
    ['a link to nothing', { fileMode: 0o120777 }],
    ['a link with a NUL byte', { fileMode: 0o120777, data: Buffer.from('a\0b') }],
  ])('that is refused for %s leaves nothing behind, no directory either', async (_, fields) => {
    await expect(copy('not/there/file', fields)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(readdirSync(base)).toEqual([]);
  });

  test('is refused where a directory is, and by a later hole keeps what came before', async () => {
    mkdirSync(`${base}/taken`);
    for (const fields of [piece('x', 0n, 1n), { fileMode: 0o120777, data: Buffer.from('to') }]) {
      await expect(copy('taken', fields)).rejects.toThrow('a directory is there');
    }
    expect(readdirSync(base)).toEqual(['taken']);
    await copy('file', piece('abc', 0n, 6n));
    await expect(copy('file', piece('f', 5n, 6n))).rejects.toThrow('leaves a hole: 3 bytes');
    await copy('file', piece('def', 3n, 6n));
    expect(readFileSync(`${base}/file`, 'utf8')).toBe('abcdef');
  });

  test('is whole when its pieces are sent without waiting for answers', async () => {
    const text = Array.from({ length: 50 }, (_, index) => String(index % 10));
    await Promise.all(text.map((byte, index) => copy('dir/file', piece(byte, BigInt(index), 50n))));
    expect(readFileSync(`${base}/dir/file`, 'utf8')).toBe(text.join(''));
    expect(readdirSync(`${base}/dir`)).toEqual(['file']);
  });

  test('goes through no link, and waits for no pipe that stands in its place', async () => {
    mkdirSync(`${base}/real`);
    symlinkSync('real', `${base}/link`);
    await expect(copy('link/file', piece('x', 0n, 1n))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    symlinkSync(`${base}/target`, `${base}/a.kata-part`);
    await expect(copy('a', piece('x', 0n, 1n))).rejects.toThrow('ELOOP');
    execFileSync('mkfifo', [`${base}/b.kata-part`]);
    await expect(copy('b', piece('x', 0n, 1n))).rejects.toThrow('ENXIO');
    expect(existsSync(`${base}/target`)).toBe(false);
  });
});

test('directories and links are made, links anew', async () => {
  await copy('dir', { fileMode: 0o040711 });
  await copy('dir', { fileMode: 0o040755 });
  expect(statSync(`${base}/dir`).mode & 0o777).toBe(0o755);
  for (const to of ['one', '/two']) await copy('dir/link', { fileMode: 0o120777, data: Buffer.from(to) });
  symlinkSync('dir', `${base}/away`);
  await expect(copy('away', { fileMode: 0o040700 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect(statSync(`${base}/dir`).mode & 0o777).toBe(0o755);
  expect(lstatSync(`${base}/dir/link`).isSymbolicLink()).toBe(true);
  expect(readlinkSync(`${base}/dir/link`)).toBe('/two');
});
