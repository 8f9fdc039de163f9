import fc from 'fast-check';
import { stringify } from 'yaml';

/** What the reference and we are both asked to do. */
export interface Case {
  /** Files by path below the case: `low/0.json`, `high/1.yaml`. */
  files: Record<string, string>;
  oci: object;
  names: string[];
}

const often = (good: fc.Arbitrary<unknown>, bad: fc.Arbitrary<unknown>, weight = 60) =>
  fc.oneof({ arbitrary: good, weight }, { arbitrary: bad, weight: 1 });
const maybe = (value: fc.Arbitrary<unknown>) => fc.option(value, { nil: undefined });
const one = (...values: unknown[]): fc.Arbitrary<unknown> => fc.constantFrom(...values);
const places = ['/a', '/b', '/x/y', '/x/y/z', '/', '/dev/none', 'relative', '/a/', '/x//y', '/x/../y'];
const place = often(one(...places), one(''));

// Names of one letter make this version of the reference panic.
const name = often(
  one('aa', 'bb', 'cc', 'd1', '010', 'yes', 'gpu-1', 'x:y', 'n.1'),
  one('-a', 'a-', 'a b', 'aäb', 'a/b', 'a=b', 77, true, null),
);
const env = often(one('A=1', 'A=2', 'B=x', 'C=', 'D=a=b', 'PATH=/x'), one('A', '=x', '', 5));
const node = fc.record(
  {
    path: often(one('/dev/null', '/dev/zero', '/dev/n1', '/dev/a'), one('', null)),
    hostPath: maybe(one('/dev/null', '/dev/zero', '/dev/full', '/dev/none', '/etc/passwd')),
    type: maybe(often(one('c', 'b', 'u', 'p', ''), one('x', 'cc'))),
    major: maybe(often(one(0, 1, 195, -1), one('1', 1.5))),
    minor: maybe(one(0, 3, 255)),
    fileMode: maybe(often(one(0, 384, 438), one(-1, '0600'))),
    permissions: maybe(often(one('', 'r', 'rw', 'rwm', 'mm'), one('x', 'rwx'))),
    uid: maybe(often(one(0, 1000), one(-1, 4294967296))),
    gid: maybe(one(0, 5)),
  },
  { requiredKeys: ['path'] },
);
const mount = fc.record({
  hostPath: place,
  containerPath: place,
  options: maybe(fc.subarray(['ro', 'bind', 'rbind'])),
  type: maybe(one('bind', 'tmpfs', '')),
});
const hook = fc.record({
  hookName: often(
    one('prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'),
    one('x', ''),
  ),
  path: place,
  args: maybe(fc.array(one('a', '1'), { maxLength: 2 })),
  env: maybe(fc.array(env, { maxLength: 2 })),
  timeout: maybe(one(0, 5, -1)),
});
const edits = (least: number) =>
  often(
    fc.record({
      env: maybe(fc.array(env, { minLength: least, maxLength: 3 })),
      deviceNodes: maybe(fc.array(node, { maxLength: 2 })),
      mounts: maybe(fc.array(mount, { maxLength: 2 })),
      hooks: maybe(fc.array(hook, { maxLength: 1 })),
    }),
    one({}, { unknown: 1 }, null, [], 'x', { ENV: ['Z=1'] }),
  );
const spec = fc.record({
  cdiVersion: often(one('0.5.0'), one('', 0.3, 'x')),
  kind: often(one('v.com/cc', 'v.com/cc', 'v.com/dd', 'ww/cc'), one('vv', '1v/cc', 'vv/cc/dd')),
  devices: often(fc.array(fc.record({ name, containerEdits: edits(1) }), { minLength: 1, maxLength: 3 }), one('x')),
  containerEdits: maybe(edits(0)),
});

/** Ways in which a text differs from what a serialiser writes. */
const twists: ((text: string) => string)[] = [
  (text) => text.slice(0, -3),
  (text) => `\ufeff${text}`,
  (text) => `${text}\n---\nnot: [read`,
  () => '',
  (text) => text.replace('fileMode: 384', 'fileMode: 0600'),
  (text) => text.replace('"kind"', '"KIND"'),
  (text) => text.replace(/^\{/, '{"kind":"zz/zz",'),
];
const file = fc
  .tuple(spec, one('json', 'yaml'), fc.boolean(), fc.nat(40))
  .map(([content, extension, isPlain, twist]) => {
    const json = JSON.stringify(content);
    const options = { version: '1.1', defaultStringType: isPlain ? 'PLAIN' : 'QUOTE_DOUBLE' } as const;
    const text = extension === 'yaml' ? stringify(JSON.parse(json), options) : json;
    return { extension, text: twists[twist]?.(text) ?? text };
  });

const oci = fc.record({
  ociVersion: one('1.0.2'),
  process: maybe(
    fc.record({
      cwd: one('/'),
      user: fc.record({ uid: one(0, 1000), gid: one(0, 100) }),
      env: maybe(fc.array(one('X=0', 'PATH0=/bin', 'Z'), { maxLength: 3 })),
    }),
  ),
  mounts: maybe(
    fc.uniqueArray(
      one(...places).map((destination) => ({ destination })),
      { maxLength: 4, selector: JSON.stringify },
    ),
  ),
  hooks: maybe(one({ prestart: [{ path: '/old' }] })),
  linux: maybe(
    fc.record({
      devices: maybe(
        fc
          .subarray(['/dev/null', '/dev/a', '/dev/q'])
          .map((paths) => paths.map((path) => ({ path, type: 'c', major: 9, minor: 9 }))),
      ),
      resources: maybe(one({ devices: [{ allow: false, access: 'rwm' }] })),
    }),
  ),
});
const qualified = [
  'v.com/cc=aa',
  'v.com/cc=bb',
  'v.com/cc=cc',
  'v.com/cc=d1',
  'v.com/dd=aa',
  'ww/cc=aa',
  'v.com/cc=yes',
  'v.com/cc=true',
  'v.com/cc=8',
  'nope',
];

export const anyCase: fc.Arbitrary<Case> = fc
  .record({
    low: fc.array(file, { maxLength: 2 }),
    high: fc.array(file, { minLength: 1, maxLength: 2 }),
    oci,
    names: fc.array(fc.constantFrom(...qualified), { maxLength: 3 }),
  })
  .map(({ low, high, oci: target, names }) => {
    const named = (folder: string, files: typeof low) =>
      files.map(({ extension, text }, index) => [`${folder}/${index}.${extension}`, text]);
    return {
      files: Object.fromEntries([...named('low', low), ...named('high', high)]),
      oci: JSON.parse(JSON.stringify(target)),
      names,
    };
  });
