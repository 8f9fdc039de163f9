import { chmodSync, linkSync, mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { directory, put, spec } from '../../test-support/directories.ts';
import { CdiError } from '../errors.ts';
import { Cache, type CacheOptions } from './cache.ts';

const manual = (specDirs: string[], options: CacheOptions = {}) =>
  new Cache({ specDirs, autoRefresh: false, ...options });
const errorsOf = (cache: Cache) => [...new Set([...cache.errors().values()].flat())].map(({ message }) => message);
const setting = (cache: Cache, name: string) => cache.getDevice(name)?.spec.containerEdits.env?.[0];
const withValue = (value: string) => spec({ d: { env: [`A=${value}`] } });

describe('directories', () => {
  it('give their devices, kinds, vendors and classes sorted', () => {
    const dir = directory({
      'b.json': spec(['z', 'a'], { kind: 'b.com/net' }),
      'a.yaml': 'cdiVersion: 1.1.0\nkind: a.com/gpu\ndevices: [{name: "0", containerEdits: {env: [A=1]}}]',
    });
    const cache = manual([dir]);
    expect(cache.listDevices()).toEqual(['a.com/gpu=0', 'b.com/net=a', 'b.com/net=z']);
    expect(cache.listKinds()).toEqual(['a.com/gpu', 'b.com/net']);
    expect(cache.listVendors()).toEqual(['a.com', 'b.com']);
    expect(cache.listClasses()).toEqual(['gpu', 'net']);
    expect(cache.vendorSpecs('b.com').map(({ file }) => path.basename(file))).toEqual(['b.json']);
    expect(cache.getDevice('b.com/net=z')).toMatchObject({ name: 'z', qualifiedName: 'b.com/net=z' });
    expect(cache.errors().size).toBe(0);
  });

  it('give files that end in .json and .yaml, not those below them or of other names', () => {
    const content = spec(['d']);
    const dir = directory({
      'a.json': content,
      'b.yml': content,
      'c.txt': content,
      '.json.swp': content,
      'sub/d.json': content,
      'e.JSON': content,
    });
    mkdirSync(path.join(dir, 'folder.json'));
    const cache = manual([dir]);
    expect(cache.specs().map(({ file }) => path.basename(file))).toEqual(['a.json']);
    expect(cache.errors().size).toBe(0);
  });

  it('may be missing', () => {
    const dir = directory({ 'a.json': spec(['d']) });
    const cache = manual([path.join(dir, 'none'), dir]);
    expect(cache.listDevices()).toHaveLength(1);
    expect(cache.errors().size).toBe(0);
    expect(cache.specDirStates().map(({ exists }) => exists)).toEqual([false, true]);
  });

  it('that cannot be read are reported and hide no others', () => {
    const broken = put(directory(), 'file', 'not a directory');
    const dir = directory({ 'a.json': spec(['d']) });
    const cache = manual([broken, dir]);
    expect(cache.listDevices()).toHaveLength(1);
    expect(cache.specDirErrors().get(broken)?.message).toContain('ENOTDIR');
    expect(cache.errors().get(broken)).toHaveLength(1);
  });

  it('that cannot be read hide the later ones, unreported, with compat go', () => {
    const broken = put(directory(), 'file', 'not a directory');
    const cache = manual([broken, directory({ 'a.json': spec(['d']) })], { compat: 'go' });
    expect(cache.listDevices()).toEqual([]);
    expect(cache.errors().size).toBe(0);
  });

  it.skipIf(process.getuid?.() === 0)('without permission are reported (not as root, who may read everything)', () => {
    const dir = directory();
    chmodSync(dir, 0);
    expect(errorsOf(manual([dir]))[0]).toContain('EACCES');
  });

  it('are the default ones when none are named', () => {
    const cache = manual([]);
    expect(cache.specDirectories).toEqual(['/etc/cdi', '/var/run/cdi']);
  });
});

describe('a bad file', () => {
  it('is reported with its kind and leaves the others alone', () => {
    const dir = directory({ 'bad.json': { kind: 'bad.com/gpu' }, 'good.json': spec(['d']) });
    const cache = manual([dir]);
    expect(cache.listDevices()).toEqual(['vendor.com/device=d']);
    const [error] = cache.errors().get(path.join(dir, 'bad.json')) ?? [];
    expect(error).toMatchObject({ code: 'INVALID', kind: 'bad.com/gpu', path: '$' });
  });

  it('may be a link that leads nowhere', () => {
    const dir = directory();
    symlinkSync('/nowhere/at/all', path.join(dir, 'a.json'));
    expect(errorsOf(manual([dir]))).toEqual([`failed to load CDI spec ${path.join(dir, 'a.json')}: ENOENT`]);
  });
});

describe('priority', () => {
  it('lets the later directory win, silently', () => {
    const [low, high] = [directory({ 'a.json': withValue('low') }), directory({ 'a.json': withValue('high') })];
    const cache = manual([low, high]);
    expect(setting(cache, 'vendor.com/device=d')).toBe('A=high');
    expect(cache.errors().size).toBe(0);
    expect(setting(manual([high, low]), 'vendor.com/device=d')).toBe('A=low');
  });

  it('makes two files of one directory conflict, and their device unusable', () => {
    const dir = directory({ 'a.json': spec(['d', 'only-a']), 'b.json': spec(['d']) });
    const cache = manual([dir]);
    expect(cache.listDevices()).toEqual(['vendor.com/device=only-a']);
    expect([...cache.errors().keys()].map((file) => path.basename(file))).toEqual(['a.json', 'b.json']);
    expect(errorsOf(cache)).toEqual([
      `conflicting device "vendor.com/device=d" (specs "${dir}/a.json", "${dir}/b.json")`,
    ]);
  });

  it('does not fall back to a lower definition when the higher ones conflict', () => {
    const high = directory({ 'a.json': withValue('1'), 'b.json': withValue('2') });
    const cache = manual([directory({ 'a.json': withValue('low') }), high]);
    expect(cache.listDevices()).toEqual([]);
    expect(errorsOf(cache)[0]).not.toContain('low');
  });

  it('lets one clean definition above win over a conflicting pair below', () => {
    const low = directory({ 'a.json': withValue('1'), 'b.json': withValue('2') });
    const high = directory({ 'a.json': withValue('high') });
    const cache = manual([low, high]);
    expect(setting(cache, 'vendor.com/device=d')).toBe('A=high');
    expect(cache.errors().size).toBe(0);
  });

  it('lets the pair below spoil it with compat go', () => {
    const low = directory({ 'a.json': withValue('1'), 'b.json': withValue('2') });
    const cache = manual([low, directory({ 'a.json': withValue('high') })], { compat: 'go' });
    expect(cache.listDevices()).toEqual([]);
    expect(errorsOf(cache)[0]).toContain('conflicting device');
  });
});

describe('refresh', () => {
  it('reads what is new or changed, and nothing else', () => {
    const dir = directory({ 'a.json': spec(['a'], { kind: 'v.com/a' }), 'b.json': spec(['b'], { kind: 'v.com/b' }) });
    const cache = manual([dir]);
    const untouched = cache.getDevice('v.com/b=b');
    expect(cache.refresh()).toEqual([]);
    put(dir, 'a.json', spec(['a', 'a2'], { kind: 'v.com/a' }));
    put(dir, 'c.json', spec(['c'], { kind: 'v.com/c' }));
    expect(cache.refresh()).toEqual([path.join(dir, 'a.json'), path.join(dir, 'c.json')]);
    expect(cache.listDevices()).toEqual(['v.com/a=a', 'v.com/a=a2', 'v.com/b=b', 'v.com/c=c']);
    expect(cache.getDevice('v.com/b=b')).toBe(untouched);
    unlinkSync(path.join(dir, 'a.json'));
    expect(cache.refresh()).toEqual([path.join(dir, 'a.json')]);
    expect(cache.listDevices()).toEqual(['v.com/b=b', 'v.com/c=c']);
  });

  it('settles conflicts as they come and go', () => {
    const dir = directory({ 'a.json': spec(['d']), 'b.json': spec(['d']), 'c.json': spec(['d']) });
    const cache = manual([dir]);
    for (const name of ['a.json', 'b.json']) {
      expect(cache.listDevices()).toEqual([]);
      unlinkSync(path.join(dir, name));
      cache.refresh();
    }
    expect(cache.listDevices()).toEqual(['vendor.com/device=d']);
    expect(cache.errors().size).toBe(0);
  });

  it('lets a mended file in and a broken one out', () => {
    const dir = directory({ 'a.json': 'broken' });
    const cache = manual([dir]);
    put(dir, 'a.json', spec(['d']));
    cache.refresh();
    expect([cache.listDevices().length, cache.errors().size]).toEqual([1, 0]);
    put(dir, 'a.json', 'broken again');
    cache.refresh();
    expect([cache.listDevices().length, cache.errors().size]).toEqual([0, 1]);
  });

  it('shows nothing by itself in manual mode', () => {
    const dir = directory();
    const cache = manual([dir]);
    put(dir, 'a.json', spec(['d']));
    expect(cache.listDevices()).toEqual([]);
    cache.refresh();
    expect(cache.listDevices()).toHaveLength(1);
  });
});

describe('automatic refresh notices', () => {
  /** A watching cache, and a promise for its seeing a device. */
  function watching(...specDirs: string[]) {
    const cache = new Cache({ specDirs });
    // Watching keeps no process alive, which a test has to do.
    const alive = setInterval(() => {}, 1000);
    onTestFinished(() => {
      cache.close();
      clearInterval(alive);
    });
    const until = (condition: () => boolean) =>
      new Promise<void>((resolve) => {
        const stop = cache.onChange(() => {
          if (!condition()) return;
          stop();
          resolve();
        });
      });
    const device = (name: string) => until(() => cache.getDevice(`vendor.com/device=${name}`) !== undefined);
    return { cache, until, device };
  }

  it.each<[string, (dir: string, elsewhere: string) => void]>([
    ['written', (dir) => put(dir, 'a.json', spec(['d']))],
    ['moved in', (dir, elsewhere) => renameSync(put(elsewhere, 'x.json', spec(['d'])), path.join(dir, 'a.json'))],
    ['hard-linked in', (dir, elsewhere) => linkSync(put(elsewhere, 'x.json', spec(['d'])), path.join(dir, 'a.json'))],
    ['symlinked in', (dir, elsewhere) => symlinkSync(put(elsewhere, 'x.json', spec(['d'])), path.join(dir, 'a.json'))],
    ['renamed from another extension', (dir) => renameSync(put(dir, 'a.tmp', spec(['d'])), path.join(dir, 'a.json'))],
  ])('a file %s', async (_, act) => {
    const [dir, elsewhere] = [directory(), directory()];
    const { device } = watching(dir);
    const seen = device('d');
    act(dir, elsewhere);
    await seen;
  });

  it('a file changed in place, replaced, and removed', async () => {
    const dir = directory({ 'a.json': spec(['one']) });
    const { cache, device, until } = watching(dir);
    let seen = device('two');
    put(dir, 'a.json', spec(['two']));
    await seen;
    seen = device('three');
    renameSync(put(directory(), 'b.json', spec(['three'])), path.join(dir, 'a.json'));
    await seen;
    seen = until(() => cache.listDevices().length === 0);
    unlinkSync(path.join(dir, 'a.json'));
    await seen;
  });

  it('a directory that appears later, with its parents', async () => {
    const base = directory();
    const dir = path.join(base, 'run', 'deep', 'cdi');
    const { device } = watching(dir);
    const seen = device('d');
    mkdirSync(dir, { recursive: true });
    put(dir, 'a.json', spec(['d']));
    await seen;
  });

  it('a directory that is removed and made again', async () => {
    const dir = path.join(directory(), 'cdi');
    put(dir, 'a.json', spec(['one']));
    const { cache, device, until } = watching(dir);
    const gone = until(() => cache.listDevices().length === 0);
    rmSync(dir, { recursive: true });
    await gone;
    const seen = device('two');
    put(dir, 'a.json', spec(['two']));
    await seen;
  });

  it('a directory that is replaced by another', async () => {
    const base = directory();
    const dir = path.join(base, 'cdi');
    put(dir, 'a.json', spec(['one']));
    put(path.join(base, 'new'), 'a.json', spec(['two']));
    const { device } = watching(dir);
    const seen = device('two');
    renameSync(dir, path.join(base, 'old'));
    renameSync(path.join(base, 'new'), dir);
    await seen;
  });

  it('links that change their target, as in a Kubernetes volume', async () => {
    const dir = directory();
    put(path.join(dir, '..1'), 'a.json', spec(['one']));
    put(path.join(dir, '..2'), 'a.json', spec(['two']));
    symlinkSync('..1', path.join(dir, '..data'));
    symlinkSync('..data/a.json', path.join(dir, 'a.json'));
    const { device } = watching(dir);
    const seen = device('two');
    symlinkSync('..2', path.join(dir, '..new'));
    renameSync(path.join(dir, '..new'), path.join(dir, '..data'));
    await seen;
  });

  it('nothing after close, which refresh still does', () => {
    const dir = directory();
    const { cache } = watching(dir);
    cache.close();
    writeFileSync(path.join(dir, 'a.json'), JSON.stringify(spec(['d'])));
    expect(cache.listDevices()).toEqual([]);
    cache.refresh();
    expect(cache.listDevices()).toHaveLength(1);
  });

  it('a change at once when refresh is called', () => {
    const dir = directory();
    const { cache } = watching(dir);
    put(dir, 'a.json', spec(['d']));
    expect(cache.refresh()).toHaveLength(1);
    expect(cache.listDevices()).toHaveLength(1);
  });
});

it('tells errors of its own class only', () => {
  const cache = manual([directory({ 'a.json': 'x' })]);
  expect([...cache.errors().values()].flat().every((error) => error instanceof CdiError)).toBe(true);
});
