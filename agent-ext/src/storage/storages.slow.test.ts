import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PrivateMounts } from '../testing/private-mounts.ts';

const { isPossible } = PrivateMounts;
if (!isPossible) console.log('skipped: mounts of storages need root');

let mounts: PrivateMounts;
beforeAll(async () => {
  if (!isPossible) return;
  mounts = await PrivateMounts.start();
  await mounts.do(({ fs, base, secret, make }) => {
    make('a', 'b', 'x=', 'evil');
    fs.writeFileSync(`${base}/a/of-a`, 'a');
    fs.writeFileSync(`${base}/b/of-b`, 'b');
    fs.symlinkSync(secret, `${base}/evil/link`);
    fs.mkdirSync('/mnt/w');
  });
}, 60_000);
afterAll(() => mounts?.stop());

describe.skipIf(!isPossible)('an overlay', () => {
  test.each([
    ['a second lowerdir after a comma', ['lowerdir=BASE/a,lowerdir=SECRET:BASE/b'], 'comma'],
    ['an upperdir after another option', ['lowerdir=BASE/a', 'index=off,upperdir=SECRET,workdir=/mnt/w'], 'comma'],
    ['a path with a second =', ['lowerdir=BASE/x=/../../secret:BASE/a'], 'plain path below'],
    ['a link as a layer', ['lowerdir=BASE/evil/link:BASE/a'], 'is a link'],
    ['a link as the upper layer', ['lowerdir=BASE/a', 'upperdir=BASE/evil/link/u', 'workdir=BASE/w'], 'is a link'],
    ['a layer outside', ['lowerdir=SECRET:BASE/a'], 'plain path below'],
    ['an escaped colon', ['lowerdir=BASE/a\\:SECRET'], 'backslash'],
    ['a data-only layer', ['lowerdir=BASE/a::SECRET'], 'plain path below'],
    ['layers of the newer kind', ['lowerdir=BASE/a', 'lowerdir+=SECRET'], 'does not know it'],
    ['a second lowerdir', ['lowerdir=BASE/a', 'lowerdir=BASE/b'], 'there is a lowerdir already'],
    [
      'a place of its own and one that is given',
      ['lowerdir=BASE/a', 'upperdir=BASE/u', 'io.katacontainers.fs-opt.overlay-rw'],
      'upperdir',
    ],
    [
      'verity that would not be looked at',
      ['lowerdir=BASE/a', 'io.katacontainers.fs-opt.root-hash=1'],
      'does not know',
    ],
    ['no layer', ['ro'], 'no lowerdir'],
  ])('with %s is refused and mounts nothing', async (_, options, why) => {
    const [refusal, mounted] = await mounts.do(async ({ base, secret, refusal, mounted }, texts) => {
      const options = texts.map((text) => text.replaceAll('BASE', base).replaceAll('SECRET', secret));
      const why = await refusal({ driver: 'overlayfs', mountPoint: `${base}/m`, options });
      return [why, mounted()] as const;
    }, options);
    expect(refusal).toMatch(/^INVALID_ARGUMENT /);
    expect(refusal).toContain(why);
    expect(mounted).toEqual([]);
  });

  test('has its layers, as many as a shim may send, and writes to its upper one', async () => {
    const seen = await mounts.do(async ({ fs, base, acquire, storages, make, mounted }) => {
      const layers = Array.from({ length: 100 }, (_, index) => `layers/${'long'.repeat(20)}/${index}`);
      make(...layers);
      const lowerdir = ['a', 'b', ...layers].map((name) => `${base}/${name}`).join(':');
      const options = ['index=off', `lowerdir=${lowerdir}`, `upperdir=${base}/up/d`, `workdir=${base}/up/w`, 'nodev'];
      const key = await acquire({ driver: 'overlayfs', fstype: 'overlay', mountPoint: `${base}/m`, options });
      const names = fs.readdirSync(`${base}/m`).sort();
      fs.writeFileSync(`${base}/m/new`, '');
      const descriptors = fs.readdirSync('/proc/self/fd').length;
      await storages.release(key);
      return { names, upper: fs.readdirSync(`${base}/up/d`), mounted: mounted(), few: descriptors < 60 };
    });
    expect(seen).toEqual({ names: ['of-a', 'of-b'], upper: ['new'], mounted: [], few: true });
  });

  test('that Kata wants writable gets a place out of reach, which goes with it', async () => {
    const seen = await mounts.do(async ({ fs, fake, base, acquire, storages }) => {
      const options = [`lowerdir=${base}/a`, 'io.katacontainers.fs-opt.overlay-rw'];
      const key = await acquire({ driver: 'overlayfs', fstype: 'overlay', mountPoint: `${base}/m`, options });
      fs.writeFileSync(`${base}/m/of-a`, 'changed');
      const during = fs.readdirSync(fake.agent.paths.state).length;
      await storages.release(key);
      const after = fs.readdirSync(fake.agent.paths.state).length;
      return { during: during - after, lower: fs.readFileSync(`${base}/a/of-a`, 'utf8') };
    });
    expect(seen).toEqual({ during: 1, lower: 'a' });
  });
});

describe.skipIf(!isPossible)('a storage whose source is a directory of the guest', () => {
  test.each([
    ['ephemeral', 'tmpfs'],
    ['virtio-fs', 'virtiofs'],
  ])('is not bound by an option of driver %s', async (driver, fstype) => {
    const names = await mounts.do(
      async ({ fs, base, secret, refusal, storages }, { driver, fstype }) => {
        const mountPoint = `${base}/bound`;
        await refusal({ driver, fstype, source: secret, mountPoint, options: ['bind'] });
        const names = fs.readdirSync(mountPoint);
        await storages.release(mountPoint);
        return names;
      },
      { driver, fstype },
    );
    expect(names).toEqual([]);
  });
});

describe.skipIf(!isPossible)('memory', () => {
  test.each(['abc', '9999999999', '-1', '4294967295', ''])(
    'with group %j is refused and not mounted',
    async (group) => {
      const [refusal, mounted] = await mounts.do(async ({ base, refusal, mounted }, group) => {
        const options = [`fsgid=${group}`];
        const why = await refusal({ driver: 'ephemeral', fstype: 'tmpfs', mountPoint: `${base}/e`, options });
        return [why, mounted()] as const;
      }, group);
      expect(refusal).toContain('INVALID_ARGUMENT invalid fsgid');
      expect(mounted).toEqual([]);
    },
  );

  test('changes its size and keeps its flags, by options of a shim', async () => {
    const seen = await mounts.do(async ({ base, acquire, update, mountOf, storages }) => {
      const storage = { driver: 'ephemeral', source: 'shm', fstype: 'tmpfs', mountPoint: `${base}/e` };
      const key = await acquire({ ...storage, options: ['noexec', 'nosuid', 'mode=1777', 'size=65536'] });
      const answers = [
        await update([{ ...storage, options: ['remount', 'size=1048576', 'fsgid=7'] }]),
        await update([{ ...storage, mountPoint: `${base}/e/`, options: [] }]),
        await update([]),
      ];
      const { options = [], superOptions = [] } = mountOf(key) ?? {};
      await storages.release(key);
      return { answers, options, size: superOptions.find((option) => option.startsWith('size=')) };
    });
    expect(seen).toEqual({
      // Nothing refused; `undefined` comes as null.
      answers: [null, null, null],
      options: expect.arrayContaining(['rw', 'nosuid', 'noexec']),
      size: 'size=1024k',
    });
  });

  test.each([
    ['of another driver', { driver: 'local' }, 'INVALID_ARGUMENT'],
    ['that is not mounted', { mountPoint: 'BASE/nothing' }, 'NOT_FOUND'],
    ['outside', { mountPoint: '/mnt/outer' }, 'INVALID_ARGUMENT'],
    ['behind a link', { mountPoint: 'BASE/evil/outer' }, 'NOT_FOUND'],
    ['with an option that its file system does not know', { options: ['nonsense=1'] }, 'EINVAL'],
  ])('%s is not changed, nor the one before it', async (_, change, code) => {
    const [refusal, ...sizes] = await mounts.do(async (kit, change) => {
      const { fs, base, acquire, update, mountOf, mount, storages } = kit;
      if (!fs.existsSync('/mnt/outer')) {
        fs.mkdirSync('/mnt/outer');
        mount('outer', '/mnt/outer', 'tmpfs', 0, 'size=64k');
        fs.symlinkSync('/mnt/outer', `${base}/evil/outer`);
      }
      const storage = (name: string) => ({ driver: 'ephemeral', fstype: 'tmpfs', mountPoint: `${base}/${name}` });
      const keys = [];
      for (const name of ['one', 'two']) keys.push(await acquire({ ...storage(name), options: ['size=64k'] }));
      const options = ['size=1m'];
      const bad = JSON.parse(JSON.stringify({ ...storage('two'), options, ...change }).replaceAll('BASE', base));
      const why = await update([{ ...storage('one'), options }, bad]);
      const sizes = [...keys, '/mnt/outer'].map((place) =>
        mountOf(place)?.superOptions.find((option) => option.startsWith('size=')),
      );
      for (const key of keys) await storages.release(key);
      return [why, ...sizes];
    }, change);
    expect(refusal).toMatch(new RegExp(`^${code} `));
    expect(sizes).toEqual(['size=64k', 'size=64k', 'size=64k']);
  });
});

describe.skipIf(!isPossible)('a bind', () => {
  test('has what is mounted in its source only when it is recursive, and is read-only when it is asked to', async () => {
    const seen = await mounts.do(async ({ fs, base, acquire, mountOf, storages, make }) => {
      make('tree/in');
      const inner = { driver: 'ephemeral', fstype: 'tmpfs', mountPoint: `${base}/tree/in` };
      const keys = [await acquire(inner)];
      fs.writeFileSync(`${base}/tree/in/file`, '');
      const names = [];
      for (const word of ['bind', 'rbind']) {
        const options = [word, 'rprivate', 'ro'];
        keys.push(await acquire({ driver: 'bind', source: `${base}/tree`, mountPoint: `${base}/${word}`, options }));
        names.push(fs.readdirSync(`${base}/${word}/in`));
      }
      const flags = mountOf(`${base}/rbind`)?.options[0];
      for (const key of keys.reverse()) await storages.release(key);
      return { names, flags };
    });
    expect(seen).toEqual({ names: [[], ['file']], flags: 'ro' });
  });

  test('that someone else has taken away is released all the same', async () => {
    const mounted = await mounts.do(async ({ base, acquire, storages, mounted, umount }) => {
      const key = await acquire({ driver: 'bind', source: `${base}/a`, mountPoint: `${base}/bound` });
      umount(key);
      await storages.release(key);
      return mounted();
    });
    expect(mounted).toEqual([]);
  });
});

describe.skipIf(!isPossible)('one mount point', () => {
  test('may be released and asked for again at the same time: in the end it is mounted once', async () => {
    const seen = await mounts.do(async ({ base, acquire, storages, mounted }) => {
      const storage = { driver: 'ephemeral', fstype: 'tmpfs', mountPoint: `${base}/again` };
      const key = await acquire(storage);
      await Promise.all([storages.release(key), acquire(storage), acquire(storage)]);
      const during = mounted();
      await storages.release(key);
      await Promise.all([storages.release(key), storages.releaseAll(() => {})]);
      return { during, after: mounted() };
    });
    expect(seen).toEqual({ during: ['/again'], after: [] });
  });
});

describe.skipIf(!isPossible)('a volume’s group', () => {
  test('reaches every file, however deep, and no file that a link leads to', async () => {
    const seen = await mounts.do(async ({ fs, base, secret, acquire, storages, make, mount }) => {
      make('volume');
      mount('none', `${base}/volume`, 'tmpfs');
      // Deeper than any path may be long.
      let directory = `${base}/volume`;
      for (let depth = 0; depth < 150; depth++) {
        fs.mkdirSync(`${directory}/${'d'.repeat(40)}`);
        fs.writeFileSync(`${directory}/file`, '', { mode: 0o600 });
        const fd = fs.openSync(`${directory}/${'d'.repeat(40)}`, 'r');
        directory = `/proc/self/fd/${fd}`;
      }
      fs.symlinkSync(`${secret}/key`, `${directory}/link`);
      const storage = { driver: 'local', mountPoint: `${base}/volume`, fsGroup: { groupId: 77 } };
      const descriptors = fs.readdirSync('/proc/self/fd').length;
      const key = await acquire(storage);
      const { gid, mode } = fs.statSync(directory);
      const above = fs.statSync(`${directory}/../file`);
      const link = fs.lstatSync(`${directory}/link`);
      const more = fs.readdirSync('/proc/self/fd').length - descriptors;
      await storages.release(key);
      const target = fs.statSync(`${secret}/key`).gid;
      return { gid, mode: mode & 0o7777, file: [above.gid, above.mode & 0o777], link: link.gid, target, more };
    });
    expect(seen).toEqual({ gid: 77, mode: 0o2775, file: [77, 0o660], link: 77, target: 0, more: 0 });
  });

  test('is given to a volume of one file too', async () => {
    const seen = await mounts.do(async ({ fs, base, acquire }) => {
      fs.writeFileSync(`${base}/one-file`, '', { mode: 0o600 });
      fs.writeFileSync(`${base}/target`, '');
      await acquire({
        driver: 'bind',
        source: `${base}/one-file`,
        mountPoint: `${base}/target`,
        fsGroup: { groupId: 77 },
      });
      const { gid, mode } = fs.statSync(`${base}/one-file`);
      return { gid, mode: mode & 0o777 };
    });
    expect(seen).toEqual({ gid: 77, mode: 0o660 });
  });

  test('is given on another thread: meanwhile this one goes on', async () => {
    const seen = await mounts.do(async ({ fs, base, acquire, make }) => {
      make('many');
      for (let count = 0; count < 5_000; count++) fs.mkdirSync(`${base}/many/${count}`);
      let turns = 0;
      let worst = 0;
      let last = performance.now();
      const timer = setInterval(() => {
        const now = performance.now();
        worst = Math.max(worst, now - last);
        last = now;
        turns++;
      }, 1);
      const began = performance.now();
      await acquire({ driver: 'local', mountPoint: `${base}/many`, fsGroup: { groupId: 7 } });
      clearInterval(timer);
      return { turns, worst, took: performance.now() - began, last: fs.statSync(`${base}/many/4999`).gid };
    });
    expect(seen.last).toBe(7);
    expect(seen.turns).toBeGreaterThan(3);
    expect(seen.worst).toBeLessThan(seen.took / 2);
  });
});
