import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Store } from './store.ts';

let root = '';
let store: Store;

beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'km-store-'));
  store = new Store(root);
});
afterEach(() => rm(root, { recursive: true, force: true }));

const write = (text: string) => (folder: string) => writeFile(path.join(folder, 'file'), text);
const leftovers = () => readdir(path.join(root, 'tmp')).catch(() => []);

describe('Store', () => {
  it('makes an artefact once per hash', async () => {
    let made = 0;
    const make = async (folder: string) => {
      made++;
      await write(`made ${made}`)(folder);
    };
    const first = await store.produce('kind', 'abc', make);
    const second = await store.produce('kind', 'abc', make);
    expect(first).toEqual({ path: path.join(root, 'kind/abc'), reused: false });
    expect(second).toEqual({ path: first.path, reused: true });
    expect(await readFile(path.join(first.path, 'file'), 'utf8')).toBe('made 1');
  });

  it('leaves nothing of an artefact that failed, and makes it the next time', async () => {
    const fail = async (folder: string) => {
      await write('half')(folder);
      throw new Error('disk full');
    };
    await expect(store.produce('kind', 'abc', fail)).rejects.toThrow('disk full');
    expect(await leftovers()).toEqual([]);
    expect(await store.produce('kind', 'abc', write('whole'))).toMatchObject({ reused: false });
  });

  it('keeps one of two that are made at once', async () => {
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const slow = store.produce('kind', 'abc', async (folder) => {
      await write('slow')(folder);
      await gate;
    });
    // Another process would have a scratch folder of its own; the finished artefact is what counts here.
    await mkdir(path.join(root, 'kind/abc'), { recursive: true });
    await writeFile(path.join(root, 'kind/abc/file'), 'fast');
    open();
    expect(await slow).toMatchObject({ path: path.join(root, 'kind/abc') });
    expect(await readFile(path.join(root, 'kind/abc/file'), 'utf8')).toBe('fast');
    expect(await leftovers()).toEqual([]);
  });

  it("sweeps what a killed run left, and not a living one's", async () => {
    const dead = spawn('true');
    await once(dead, 'close');
    for (const owner of [dead.pid, process.ppid])
      await mkdir(path.join(root, `tmp/${owner}-kind-abc`), { recursive: true });
    await store.sweep();
    expect(await leftovers()).toEqual([`${process.ppid}-kind-abc`]);
  });

  it('prunes a kind down to what is named', async () => {
    for (const hash of ['old', 'new']) await store.produce('kind', hash, write(hash));
    await store.produce('other', 'old', write('other'));
    await store.prune('kind', ['new']);
    expect(await readdir(path.join(root, 'kind'))).toEqual(['new']);
    expect(await readdir(path.join(root, 'other'))).toEqual(['old']);
  });
});
