import {
  chmodSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  watch as watchFiles,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mirror } from './mirror.ts';
import { type Entry, scan } from './scan.ts';
import { START_LIMITS, watch } from './watch.ts';

let work: string;
let source: string;
let target: string;
beforeEach(() => {
  work = mkdtempSync(path.join(tmpdir(), 'watchable-'));
  source = path.join(work, 'source');
  target = path.join(work, 'target');
  mkdirSync(source);
  mkdirSync(target);
});
afterEach(() => rmSync(work, { recursive: true }));

const open = async () => openSync(source, 'r');
const look = async () => scan(await open(), START_LIMITS);

/** What a kubelet does when a config map gets new content. */
function publish(version: string, files: Record<string, string>): void {
  const before = existsSync(`${source}/..data`) ? readlinkSync(`${source}/..data`) : undefined;
  mkdirSync(`${source}/..${version}`);
  for (const [name, text] of Object.entries(files)) writeFileSync(`${source}/..${version}/${name}`, text);
  symlinkSync(`..${version}`, `${source}/..data_tmp`);
  renameSync(`${source}/..data_tmp`, `${source}/..data`);
  for (const name of Object.keys(files))
    if (!existsSync(`${source}/${name}`)) symlinkSync(`..data/${name}`, `${source}/${name}`);
  for (const name of readdirSync(source))
    if (!name.startsWith('..') && !(name in files)) unlinkSync(`${source}/${name}`);
  if (before) rmSync(`${source}/${before}`, { recursive: true });
}

describe('what is in a watched directory', () => {
  test('is files, directories and links, parents first', async () => {
    publish('v1', { key: 'one' });
    const tree = await look();
    const described = [...(tree ?? [])].map(([name, entry]) => `${entry.kind} ${name} ${entry.size} ${entry.target}`);
    expect(described.sort()).toEqual([
      'directory  0 ',
      'directory ..v1 0 ',
      'file ..v1/key 3 ',
      'link ..data 0 ..v1',
      'link key 0 ..data/key',
    ]);
    const names = [...(tree?.keys() ?? [])];
    expect(names.indexOf('..v1')).toBeLessThan(names.indexOf('..v1/key'));
  });

  test('is too much with 17 entries or a byte more than 1 MiB, however large a file claims to be', async () => {
    for (let count = 0; count < 16; count++) writeFileSync(`${source}/f${count}`, '');
    expect((await look())?.size).toBe(17);
    writeFileSync(`${source}/one-more`, '');
    expect(await look()).toBeUndefined();
    rmSync(`${source}/one-more`);
    truncateSync(`${source}/f0`, 1024 * 1024);
    expect((await look())?.size).toBe(17);
    truncateSync(`${source}/f1`, 1);
    expect(await look()).toBeUndefined();
    truncateSync(`${source}/f1`, 2 ** 42);
    expect(await look()).toBeUndefined();
  });

  test.each([
    ['/etc/shadow', 'link'],
    ['../x', 'link'],
    ['a/../../x', 'link'],
    ['../../x', 'sub/link'],
  ])('is refused with a link to %s as %s', async (to, name) => {
    mkdirSync(`${source}/sub`);
    symlinkSync(to, `${source}/${name}`);
    await expect(look()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(to) });
  });

  test.each(['x', 'sub/../x', '../x'])('may have a link to %s in a directory below', async (to) => {
    mkdirSync(`${source}/sub`);
    symlinkSync(to, `${source}/sub/link`);
    expect((await look())?.get('sub/link')).toMatchObject({ kind: 'link', target: to });
  });
});

describe('the copy of a watched directory', () => {
  test('has content, modes and links', async () => {
    publish('v1', { key: 'one', other: 'x' });
    chmodSync(`${source}/..v1/key`, 0o640);
    await (await watch(open, target, (await look()) ?? new Map(), { warn: () => {} }))();
    expect(readFileSync(`${target}/key`, 'utf8')).toBe('one');
    expect(readlinkSync(`${target}/key`)).toBe('..data/key');
    expect(statSync(`${target}/key`).mode & 0o777).toBe(0o640);
    expect(readdirSync(target).sort()).toEqual(['..data', '..v1', 'key', 'other']);
  });

  test('has the owners, when it is root that copies', async ({ skip }) => {
    if (process.getuid?.() !== 0) skip('only root may give files away');
    publish('v1', { key: 'one' });
    for (const [index, name] of ['', '..v1', '..v1/key', 'key'].entries())
      lchownSync(`${source}/${name}`, 12 + index, 34);
    await (await watch(open, target, (await look()) ?? new Map(), { warn: () => {} }))();
    const owners = ['', '..v1', '..v1/key', 'key'].map((name) => lstatSync(`${target}/${name}`).uid);
    expect(owners).toEqual([12, 13, 14, 15]);
  });

  test('follows the swap of ..data, tells by inotify, and loses what has gone', async () => {
    publish('v1', { key: 'one', old: 'x' });
    const stop = await watch(open, target, (await look()) ?? new Map(), { intervalMs: 5, warn: () => {} });
    const events: string[] = [];
    const swapped = new Promise<void>((resolve) => {
      const watcher = watchFiles(target, (_, name) => {
        events.push(name ?? '');
        // At no moment a reader finds less than a whole version.
        expect(['one', 'two']).toContain(readFileSync(`${target}/key`, 'utf8'));
        if (events.includes('..data') && !existsSync(`${target}/..v1`)) {
          watcher.close();
          resolve();
        }
      });
    });
    publish('v2', { key: 'two', fresh: 'y' });
    await swapped;
    await stop();
    expect(readFileSync(`${target}/key`, 'utf8')).toBe('two');
    expect(readdirSync(target).sort()).toEqual(['..data', '..v2', 'fresh', 'key']);
  });

  test('makes room for an entry that changes its kind', async () => {
    const copied = new Map<string, Entry>();
    const sync = async () => mirror(await open(), target, copied, (await look()) ?? new Map());
    mkdirSync(`${source}/a/b`, { recursive: true });
    writeFileSync(`${source}/a/b/c`, 'deep');
    await sync();
    rmSync(`${source}/a`, { recursive: true });
    writeFileSync(`${source}/a`, 'file');
    await sync();
    expect(readFileSync(`${target}/a`, 'utf8')).toBe('file');
    rmSync(`${source}/a`);
    symlinkSync('b', `${source}/a`);
    await sync();
    expect(readlinkSync(`${target}/a`)).toBe('b');
    expect([...copied.keys()]).toEqual(['', 'a']);
  });

  test('is taken up again after a pass that failed half-way', async () => {
    const copied = new Map<string, Entry>();
    publish('v1', { a: 'one', b: 'one' });
    const now = (await look()) ?? new Map<string, Entry>();
    rmSync(`${source}/..v1/b`);
    await expect(mirror(await open(), target, copied, now)).rejects.toThrow('ENOENT');
    expect(existsSync(`${target}/..data`)).toBe(false);
    publish('v2', { a: 'two' });
    await mirror(await open(), target, copied, (await look()) ?? new Map());
    expect(readdirSync(target).sort()).toEqual(['..data', '..v2', 'a']);
  });

  test('never leaves the target through a link that stands in it', async () => {
    writeFileSync(`${source}/f`, 'secret');
    mkdirSync(`${source}/d`);
    writeFileSync(`${source}/d/f`, 'secret');
    mkdirSync(`${work}/outside`);
    symlinkSync(`${work}/outside`, `${target}/d`);
    await expect(mirror(await open(), target, new Map(), (await look()) ?? new Map())).rejects.toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
    expect(readdirSync(`${work}/outside`)).toEqual([]);
  });

  test('stays as it was when the directory outgrows the limits, with one warning', async () => {
    publish('v1', { key: 'one' });
    const warnings: string[] = [];
    let looks = 0;
    const counted = () => {
      looks++;
      return open();
    };
    const stop = await watch(counted, target, (await look()) ?? new Map(), {
      intervalMs: 2,
      warn: (text) => warnings.push(text),
    });
    for (let count = 0; count < 40; count++) writeFileSync(`${source}/f${count}`, '');
    const began = looks;
    await expect.poll(() => looks > began + 5, { timeout: 5_000 }).toBe(true);
    await stop();
    expect(warnings).toEqual(['it has more than 32 entries or 2097152 bytes']);
    expect(readFileSync(`${target}/key`, 'utf8')).toBe('one');
  });
});
