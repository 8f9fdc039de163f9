import { execFileSync } from 'node:child_process';
import { lstatSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { type Spec, SpecEditor } from '@kata-mock/oci-spec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { directory, put, spec } from '../../test-support/directories.ts';
import { Cache } from '../cache/cache.ts';
import { CdiError } from '../errors.ts';
import type { CdiSpec, ContainerEdits, DeviceNode } from '../types.ts';

const oci = (more: Partial<Spec> = {}): Spec => ({ ociVersion: '1.2.0', ...more });

/** Injects devices of one spec, all of them unless told. */
function inject(content: CdiSpec, target: Spec = oci(), names = content.devices.map(({ name }) => name)) {
  const cache = new Cache({ specDirs: [directory({ 'a.json': content })], autoRefresh: false });
  expect([...cache.errors().values()]).toEqual([]);
  const qualified = names.map((name) => `${content.kind}=${name}`);
  return cache.injectDevices(target, qualified).spec;
}
const one = (edits: ContainerEdits, target?: Spec) => inject(spec({ d: edits }), target);
const node = (edits: DeviceNode, target?: Spec) => one({ deviceNodes: [edits] }, target).linux?.devices?.at(-1);

describe('variables', () => {
  it('replace those of the same name in place, at their last place, and are appended otherwise', () => {
    const env = ['A=0', 'B=0', 'A=1', 'AB=0'];
    const result = one({ env: ['A=x', 'C=y=z', 'C=w'] }, oci({ process: { cwd: '/', env } }));
    expect(result.process?.env).toEqual(['A=0', 'B=0', 'A=x', 'AB=0', 'C=w']);
  });

  it('of the spec come before those of the device, and once', () => {
    const content = spec(
      { a: { env: ['A=1', 'X=a'] }, b: { env: ['B=1', 'X=b'] } },
      { containerEdits: { env: ['G=1', 'X=g'] } },
    );
    expect(inject(content).process?.env).toEqual(['G=1', 'X=b', 'A=1', 'B=1']);
    expect(inject(content, oci(), ['b', 'a']).process?.env).toEqual(['G=1', 'X=a', 'B=1', 'A=1']);
  });
});

describe('a device node', () => {
  it('takes type, numbers and mode from the host', () => {
    expect(node({ path: '/dev/null' })).toEqual({
      path: '/dev/null',
      type: 'c',
      major: 1,
      minor: 3,
      fileMode: lstatSync('/dev/null').mode & 0o777,
    });
  });

  it('takes them from hostPath, and keeps what the spec says', () => {
    expect(node({ path: '/dev/x', hostPath: '/dev/zero', fileMode: 0o600, uid: 1, gid: 2 })).toEqual({
      path: '/dev/x',
      type: 'c',
      major: 1,
      minor: 5,
      fileMode: 0o600,
      uid: 1,
      gid: 2,
    });
  });

  it('takes both numbers from the host when the major is 0', () => {
    expect(node({ path: '/dev/zero', type: 'c', minor: 99 })).toMatchObject({ major: 1, minor: 5 });
  });

  it('with type and major need not be on this host', () => {
    expect(node({ path: '/dev/none', type: 'b', major: 8 })).toEqual({
      path: '/dev/none',
      type: 'b',
      major: 8,
      minor: 0,
    });
    expect(node({ path: '/dev/none', type: 'p' })).toEqual({ path: '/dev/none', type: 'p' });
  });

  it('with type and major takes the mode from the host all the same', () => {
    expect(node({ path: '/dev/null', type: 'c', major: 240, minor: 7 })).toMatchObject({
      major: 240,
      minor: 7,
      fileMode: 0o666,
    });
  });

  it('keeps 64-bit numbers exact', () => {
    expect(node({ path: '/d', type: 'c', major: 2 ** 40, minor: 1 })).toMatchObject({ major: 2 ** 40 });
  });

  it('may be a fifo, without numbers and without a rule', () => {
    const pipe = path.join(directory(), 'pipe');
    execFileSync('mkfifo', ['-m', '640', pipe]);
    const result = one({ deviceNodes: [{ path: '/run/pipe', hostPath: pipe }] });
    expect(result.linux).toEqual({ devices: [{ path: '/run/pipe', type: 'p', fileMode: 0o640 }] });
  });

  it.each<[string, (dir: string) => DeviceNode, string]>([
    [
      'that is missing',
      (dir) => ({ path: path.join(dir, 'none') }),
      'does not exist, and the spec gives no type and numbers',
    ],
    ['that is a file', (dir) => ({ path: put(dir, 'file', '') }), 'is not a device node'],
    [
      'that is a link',
      (dir) => {
        symlinkSync('/dev/null', path.join(dir, 'link'));
        return { path: path.join(dir, 'link') };
      },
      'is not a device node',
    ],
    ['of another type', () => ({ path: '/dev/null', type: 'b' }), '/dev/null on the host has type c, not b'],
    ['unbuffered, without numbers', () => ({ path: '/dev/null', type: 'u' }), 'has type c, not u'],
  ])('%s is refused, naming device and file', (_, make, reason) => {
    const attempt = () => node(make(directory()));
    expect(attempt).toThrow(CdiError);
    expect(attempt).toThrow(reason);
    expect(attempt).toThrow(/failed to inject vendor\.com\/device=d \(.*a\.json\)/);
  });

  it('belongs to the user of the process unless that is root or the spec says otherwise', () => {
    const process = { cwd: '/', user: { uid: 1000, gid: 1001 } };
    const given = { path: '/d', type: 'c', major: 1 } as const;
    expect(node(given, oci({ process }))).toMatchObject({ uid: 1000, gid: 1001 });
    expect(node({ ...given, uid: 0, gid: 5 }, oci({ process }))).toMatchObject({ uid: 0, gid: 5 });
    expect(node(given, oci({ process: { cwd: '/', user: { uid: 0, gid: 0 } } }))).not.toHaveProperty('uid');
  });

  it('takes the place of one with its path, at the end, and leaves the old rule', () => {
    const devices = [
      { path: '/dev/a', type: 'c' as const, major: 9, minor: 9 },
      { path: '/dev/b', type: 'c' as const, major: 8, minor: 8 },
    ];
    const rules = [{ allow: true, type: 'c' as const, major: 9, minor: 9, access: 'rwm' }];
    const result = one(
      { deviceNodes: [{ path: '/dev/a', type: 'c', major: 1, minor: 3 }] },
      oci({ linux: { devices, resources: { devices: rules } } }),
    );
    expect(result.linux?.devices?.map(({ path: place, major }) => [place, major])).toEqual([
      ['/dev/b', 8],
      ['/dev/a', 1],
    ]);
    expect(result.linux?.resources?.devices).toEqual([
      ...rules,
      { allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' },
    ]);
  });

  it.each([
    [undefined, 'rwm'],
    ['', 'rwm'],
    ['r', 'r'],
    ['wr', 'wr'],
    ['none', undefined],
  ])('with permissions %j allows %j', (permissions, access) => {
    const given = {
      path: '/d',
      type: 'b',
      major: 8,
      minor: 1,
      ...(permissions !== undefined && { permissions }),
    } as const;
    const [rule] = one({ deviceNodes: [given] }).linux?.resources?.devices ?? [];
    expect(rule).toEqual({ allow: true, type: 'b', major: 8, minor: 1, ...(access && { access }) });
  });

  it.each(['u', 'p'] as const)('of type %s gets no rule', (type) => {
    expect(one({ deviceNodes: [{ path: '/d', type, major: 1 }] }).linux?.resources).toBeUndefined();
  });
});

describe('mounts', () => {
  const at = (containerPath: string, more = {}) => ({ hostPath: '/h', containerPath, ...more });
  const destinations = (result: Spec) => result.mounts?.map(({ destination }) => destination);

  it('take the place of the first with their destination; then all are sorted by depth, stably', () => {
    const mounts = ['/z/z', '/b', '/', '/a/b/c', '/b', '/a'].map((destination) => ({ destination }));
    const result = one(
      { mounts: [at('/b'), at('/x//y/../w/'), at('/q/r', { type: 'bind', options: ['ro'] })] },
      oci({ mounts }),
    );
    expect(destinations(result)).toEqual(['/', '/b', '/a', '/b', '/z/z', '/x//y/../w/', '/q/r', '/a/b/c']);
    expect(result.mounts?.find(({ destination }) => destination === '/q/r')).toEqual({
      destination: '/q/r',
      type: 'bind',
      source: '/h',
      options: ['ro'],
    });
  });

  it('are not sorted when none are added', () => {
    const mounts = ['/a/b', '/a'].map((destination) => ({ destination }));
    expect(destinations(one({ env: ['A=1'] }, oci({ mounts })))).toEqual(['/a/b', '/a']);
  });

  const inUserNamespace = oci({ linux: { namespaces: [{ type: 'user' }] } });
  it.each<[object, string[] | undefined]>([
    [{ options: ['bind', 'ro'] }, ['bind', 'ro', 'idmap']],
    [{ options: ['rbind'] }, ['rbind', 'ridmap']],
    [{ type: 'bind' }, ['idmap']],
    [{ type: 'bind', options: ['rbind'] }, ['rbind', 'ridmap']],
    [{ options: ['bind', 'idmap'] }, ['bind', 'idmap']],
    [{ options: ['rbind', 'idmap'] }, ['rbind', 'idmap']],
    [{ type: 'tmpfs', options: ['ro'] }, ['ro']],
    [{}, undefined],
  ])('in a user namespace map their ids: %j becomes %j', (more, options) => {
    expect(one({ mounts: [at('/a', more)] }, inUserNamespace).mounts?.[0]?.options).toEqual(options);
  });

  it('outside a user namespace do not', () => {
    expect(one({ mounts: [at('/a', { options: ['bind'] })] }).mounts?.[0]?.options).toEqual(['bind']);
  });
});

describe('other edits', () => {
  it('append hooks of each kind', () => {
    const hooks = { poststop: [{ path: '/old' }] };
    const names = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'] as const;
    const result = one(
      {
        hooks: names.map((hookName) => ({
          hookName,
          path: `/${hookName}`,
          args: ['x', hookName],
          env: ['A=1'],
          timeout: 5,
        })),
      },
      oci({ hooks }),
    );
    expect(result.hooks?.createRuntime).toEqual([
      { path: '/createRuntime', args: ['x', 'createRuntime'], env: ['A=1'], timeout: 5 },
    ]);
    expect(result.hooks?.poststop?.map(({ path: program }) => program)).toEqual(['/old', '/poststop']);
    expect(Object.keys(result.hooks ?? {})).toHaveLength(6);
  });

  it('move network devices, the last one of an interface', () => {
    const content = spec({
      a: { netDevices: [{ hostInterfaceName: 'eth0', name: 'a0' }] },
      b: {
        netDevices: [
          { hostInterfaceName: 'eth0', name: 'b0' },
          { hostInterfaceName: 'eth1', name: 'b1' },
        ],
      },
    });
    expect(inject(content).linux?.netDevices).toEqual({ eth0: { name: 'b0' }, eth1: { name: 'b1' } });
  });

  it('replace intelRdt as a whole, the last one wins', () => {
    const content = spec({
      a: { intelRdt: { closID: 'a', l3CacheSchema: 'x', schemata: ['L3:0=f'] } },
      b: { intelRdt: { closID: 'b', memBwSchema: 'm', enableMonitoring: true } },
    });
    const result = inject(content, oci({ linux: { intelRdt: { closID: 'old', enableCMT: true } } }));
    expect(result.linux?.intelRdt).toEqual({ closID: 'b', memBwSchema: 'm', enableMonitoring: true });
  });

  it('add groups once, and never group 0', () => {
    const process = { cwd: '/', user: { uid: 0, gid: 0, additionalGids: [5] } };
    expect(one({ additionalGids: [0, 7, 5, 7] }, oci({ process })).process?.user?.additionalGids).toEqual([5, 7]);
  });

  it('make nothing of an empty request', () => {
    const before = oci({ mounts: [{ destination: '/a/b' }, { destination: '/a' }] });
    expect(inject(spec({ d: { env: ['A=1'] } }), before, [])).toEqual(before);
  });

  it('are made twice for a device asked for twice, as in the reference', () => {
    const content = spec({
      d: {
        hooks: [{ hookName: 'prestart', path: '/x' }],
        deviceNodes: [{ path: '/d', type: 'c', major: 1 }],
        env: ['A=1'],
      },
    });
    const result = inject(content, oci(), ['d', 'd']);
    expect(result.hooks?.prestart).toHaveLength(2);
    expect(result.linux?.resources?.devices).toHaveLength(2);
    expect(result.linux?.devices).toHaveLength(1);
    expect(result.process?.env).toEqual(['A=1']);
  });
});

describe('injection', () => {
  const failing = spec({ good: { env: ['A=1'] }, bad: { env: ['B=1'], deviceNodes: [{ path: '/nowhere/at/all' }] } });

  it('is all or nothing, also on an editor that others use', () => {
    const cache = new Cache({ specDirs: [directory({ 'a.json': failing })], autoRefresh: false });
    const editor = new SpecEditor(oci({ process: { cwd: '/', env: ['X=1'] } }));
    editor.env.set('MINE', '1');
    const before = JSON.stringify([editor.spec, editor.changes]);
    expect(() => cache.injectDevices(editor, ['vendor.com/device=good', 'vendor.com/device=bad'])).toThrow(
      '/nowhere/at/all',
    );
    expect(() => cache.injectDevices(editor, ['vendor.com/device=good', 'vendor.com/device=none'])).toThrow(
      'unresolvable',
    );
    expect(JSON.stringify([editor.spec, editor.changes])).toBe(before);
    cache.injectDevices(editor, ['vendor.com/device=good']);
    expect(editor.env.entries()).toEqual(['X=1', 'MINE=1', 'A=1']);
  });

  it('is undone when the OCI spec itself does not fit', () => {
    const cache = new Cache({
      specDirs: [directory({ 'a.json': spec({ d: { env: ['A=1'], additionalGids: [5] } }) })],
      autoRefresh: false,
    });
    const editor = new SpecEditor({ ociVersion: '1', process: { cwd: '/', env: [], user: 'root' } } as unknown as Spec);
    expect(() => cache.injectDevices(editor, ['vendor.com/device=d'])).toThrow('$.process.user');
    expect(editor.env.entries()).toEqual([]);
  });

  it('changes neither the OCI spec it was given nor the cache', () => {
    const cache = new Cache({
      specDirs: [
        directory({
          'a.json': spec({
            d: {
              deviceNodes: [{ path: '/dev/null' }],
              intelRdt: { schemata: ['a'] },
              mounts: [{ hostPath: '/a', containerPath: '/b', options: ['ro'] }],
            },
          }),
        }),
      ],
      autoRefresh: false,
    });
    const target = oci({ mounts: [{ destination: '/a/b' }] });
    const before = JSON.stringify([cache.specs(), target]);
    const { spec: result } = cache.injectDevices(target, ['vendor.com/device=d']);
    result.mounts?.[0]?.options?.push('changed');
    result.linux?.intelRdt?.schemata?.push('changed');
    expect(JSON.stringify([cache.specs(), target])).toBe(before);
  });

  it('says which device and file each edit and each change came from', () => {
    const content = spec({ d: { env: ['A=1'] } }, { containerEdits: { env: ['G=1'] } });
    const cache = new Cache({ specDirs: [directory({ 'a.json': content })], autoRefresh: false });
    const { edits, changes } = cache.injectDevices(oci(), ['vendor.com/device=d']);
    const file = cache.specs()[0]?.file;
    expect(edits).toEqual([
      { edit: 'env', name: 'G', value: '1', from: { device: 'vendor.com/device=d', file, level: 'spec' } },
      { edit: 'env', name: 'A', value: '1', from: { device: 'vendor.com/device=d', file, level: 'device' } },
    ]);
    expect(changes.map(({ path: place, source }) => [place, source])).toEqual([
      ['$.process.env[0]', `vendor.com/device=d (all devices of ${file})`],
      ['$.process.env[1]', `vendor.com/device=d (${file})`],
    ]);
  });

  it('of an OCI spec of any shape succeeds or fails with an error of ours, and then changes nothing', () => {
    const everything = spec({
      d: {
        env: ['A=1'],
        deviceNodes: [{ path: '/dev/null' }],
        mounts: [{ hostPath: '/a', containerPath: '/b/c', options: ['bind'] }],
        hooks: [{ hookName: 'prestart', path: '/x' }],
        netDevices: [{ hostInterfaceName: 'eth0', name: 'net0' }],
        intelRdt: { closID: 'a' },
        additionalGids: [5],
      },
    });
    const cache = new Cache({ specDirs: [directory({ 'a.json': everything })], autoRefresh: false });
    const junk = fc.oneof(fc.constantFrom(null, {}, [], [null], 'text', 5, [{}]), fc.jsonValue({ maxDepth: 2 }));
    const part = (...names: string[]) =>
      fc.record(Object.fromEntries(names.map((name) => [name, junk])), { requiredKeys: [] });
    const target = fc.record(
      {
        process: fc.oneof(junk, part('env', 'user', 'cwd')),
        mounts: junk,
        hooks: fc.oneof(junk, part('prestart')),
        linux: fc.oneof(junk, part('devices', 'resources', 'namespaces', 'netDevices', 'intelRdt')),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(target, (shape) => {
        const editor = new SpecEditor(shape as unknown as Spec);
        const before = JSON.stringify(editor.spec);
        try {
          cache.injectDevices(editor, ['vendor.com/device=d']);
        } catch (error) {
          expect(error).toBeInstanceOf(CdiError);
          expect(JSON.stringify(editor.spec)).toBe(before);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('needs an OCI spec', () => {
    const cache = new Cache({ specDirs: [directory()], autoRefresh: false });
    expect(() => cache.injectDevices(undefined as never, ['a/b=c'])).toThrow('no OCI spec to inject a/b=c into');
  });
});

describe('proposals for 1.2.0', () => {
  const cacheOf = (edits: ContainerEdits) =>
    new Cache({
      specDirs: [directory({ 'a.json': spec({ d: edits }, { cdiVersion: '1.2.0' }) })],
      autoRefresh: false,
      proposals: true,
    });
  const injected = (edits: ContainerEdits) => cacheOf(edits).injectDevices(oci(), ['vendor.com/device=d']).spec;

  it('add device cgroup rules without a node; no minor is every minor', () => {
    const result = injected({
      deviceCgroupRules: [
        { type: 'c', major: 226, permissions: 'rw' },
        { type: 'b', major: 8, minor: 0 },
      ],
    });
    expect(result.linux).toEqual({
      resources: {
        devices: [
          { allow: true, type: 'c', major: 226, access: 'rw' },
          { allow: true, type: 'b', major: 8, minor: 0, access: 'rwm' },
        ],
      },
    });
  });

  it('take a path of "*" for a rule without a node, -1 for every number', () => {
    const result = injected({ deviceNodes: [{ path: '*', type: 'c', major: 195, minor: -1, permissions: 'r' }] });
    expect(result.linux).toEqual({ resources: { devices: [{ allow: true, type: 'c', major: 195, access: 'r' }] } });
  });

  it('expand a pattern to the device nodes of the host, and to none where none match', () => {
    const paths = injected({
      deviceNodes: [{ path: '/dev/nul*' }, { path: '/dev/none*' }, { path: '/in/z*', hostPath: '/dev/zer*' }],
    }).linux?.devices?.map((device) => device.path);
    expect(paths).toEqual(['/dev/null', '/in/zero']);
  });

  it.each<[string, ContainerEdits, string]>([
    [
      'a rule of another type',
      { deviceCgroupRules: [{ type: 'p' as 'c', major: 1 }] },
      'invalid type "p" of a device cgroup rule',
    ],
    ['a rule without major', { deviceCgroupRules: [{ type: 'c' } as never] }, 'needs a major number above 0'],
    ['a rule of major 0', { deviceCgroupRules: [{ type: 'c', major: 0 }] }, 'needs a major number above 0'],
    [
      'a rule with other permissions',
      { deviceCgroupRules: [{ type: 'c', major: 1, permissions: 'x' }] },
      'invalid permissions "x"',
    ],
    [
      'a pattern with numbers',
      { deviceNodes: [{ path: '/dev/x*', major: 1 }] },
      'type, major and minor come from the host',
    ],
    ['a pattern that is not absolute', { deviceNodes: [{ path: 'dev/x*' }] }, 'must be an absolute path'],
    ['a pattern with ".."', { deviceNodes: [{ path: '/dev/../x*' }] }, 'without "." and ".."'],
    ['"*" without type', { deviceNodes: [{ path: '*', major: 1 }] }, 'the type must be b or c'],
  ])('refuse %s', (_, edits, reason) => {
    expect([...cacheOf(edits).errors().values()].flat()[0]?.message).toContain(reason);
  });

  it('are not known unless switched on', () => {
    const dir = directory({ 'a.json': spec({ d: { deviceNodes: [{ path: '/dev/nul*' }] } }) });
    const cache = new Cache({ specDirs: [dir], autoRefresh: false });
    expect(() => cache.injectDevices(oci(), ['vendor.com/device=d'])).toThrow('/dev/nul* does not exist');
  });
});
