import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { spec } from '../../test-support/directories.ts';
import type { CdiSpec } from '../types.ts';
import { formatCdiSpec } from '../write/format.ts';
import { parseCdiSpec } from './text.ts';

const yaml = (text: string) => parseCdiSpec(text, 'yaml');
const json = (text: string) => parseCdiSpec(text, 'json');
const device = (name: string) =>
  `cdiVersion: 1.1.0\nkind: v.com/c\ndevices:\n- name: ${name}\n  containerEdits:\n    env: [A=1]\n`;
const minimal = JSON.stringify(spec(['d']));

describe('YAML', () => {
  it.each([
    ['y', 'true'],
    ['off', 'false'],
    ['0600', '384'],
    ['1_0', '10'],
    ['0x10', '16'],
    ['"0600"', '0600'],
    ["'yes'", 'yes'],
    ['!!str 0600', '0600'],
    ['gpu0', 'gpu0'],
  ])('reads the name %s as %s', (written, name) => {
    expect(yaml(device(written)).devices[0]?.name).toBe(name);
  });

  it('reads 0.3 as a version that does not exist, and 0.3.0 as one that does', () => {
    expect(() => yaml(device('d').replace('1.1.0', '0.3'))).toThrow('invalid version "0.3"');
    expect(yaml(device('d').replace('1.1.0', '0.3.0')).cdiVersion).toBe('0.3.0');
    expect(yaml(device('d').replace('1.1.0', '"0.6.0"')).cdiVersion).toBe('0.6.0');
  });

  it.each([
    ['0600', 384],
    ['0o600', 384],
    ['600', 600],
    ['384', 384],
    ['0x180', 384],
  ])('reads fileMode %s as %d', (written, mode) => {
    const text = `cdiVersion: 1.1.0\nkind: v/c\ndevices: [{name: d, containerEdits: {deviceNodes: [{path: /d, fileMode: ${written}}]}}]`;
    expect(yaml(text).devices[0]?.containerEdits.deviceNodes?.[0]?.fileMode).toBe(mode);
  });

  it('turns values into text where text belongs: variables, arguments, annotations', () => {
    const loaded = yaml(`
cdiVersion: 1.1.0
kind: v/c
annotations: {a: yes, b: 1.5, c: 0x10, 5: x}
devices:
- name: 5
  containerEdits:
    hooks: [{hookName: prestart, path: /x, args: [true, 1, ~, "no"]}]
`);
    expect(loaded.annotations).toEqual({ a: 'true', b: '1.5', c: '16', 5: 'x' });
    expect(loaded.devices[0]?.containerEdits.hooks?.[0]?.args).toEqual(['true', '1', '', 'no']);
  });

  it('keeps 64-bit numbers exact', () => {
    const text = `cdiVersion: 1.1.0\nkind: v/c\ndevices: [{name: d, containerEdits: {deviceNodes: [{path: /d, major: 9223372036854775807}]}}]`;
    expect(yaml(text).devices[0]?.containerEdits.deviceNodes?.[0]?.major).toBe(9223372036854775807n);
  });

  it('reads anchors, aliases and merges, copies each', () => {
    const loaded = yaml(`
cdiVersion: 1.1.0
kind: v/c
containerEdits: &base {env: [A=1]}
devices:
- {name: a, containerEdits: *base}
- name: b
  containerEdits:
    <<: [*base, {env: [NOT=USED], additionalGids: [1]}]
    mounts: [{hostPath: /a, containerPath: /b}]
`);
    const [a, b] = loaded.devices;
    expect(a?.containerEdits).toEqual({ env: ['A=1'] });
    expect(a?.containerEdits).not.toBe(loaded.containerEdits);
    expect(b?.containerEdits).toEqual({
      mounts: [{ hostPath: '/a', containerPath: '/b' }],
      env: ['A=1'],
      additionalGids: [1],
    });
  });

  it('uses the first document alone, whatever comes after it', () => {
    expect(yaml(`---\n${device('d')}---\n{broken: [`).devices).toHaveLength(1);
    expect(yaml(`# comment\n${device('d')}...\nmore`).devices).toHaveLength(1);
  });

  it.each([
    ['a duplicate member', `${device('d')}kind: x/y\n`, 'duplicate member "kind" (line 7, column 1)'],
    ['a duplicate that looks different', `${device('d')}"kind": x/y\n`, 'duplicate member "kind"'],
    ['an unknown member', `${device('d')}more: 1\n`, 'unknown member "more"'],
    ['an unclosed list', 'devices: [', '(line 1, column'],
    ['a tab for indentation', 'devices:\n\t- name: x', '(line 2'],
    ['an alias of nothing', 'kind: *x', 'alias "x" has no anchor before it'],
    ['an alias of itself', 'a: &x [*x]', 'inside what it stands for'],
    ['an unknown tag', 'kind: !secret x', 'tag "!secret" is not known'],
    ['a list for a member name', '? [a]\n: b', 'cannot be a member name'],
    ['a merge of nothing', '<<: 5', '"<<" takes an object'],
    ['nothing', '', 'the file is empty'],
    ['comments alone', '# nothing\n', 'the file is empty'],
    ['a scalar', 'hello', 'must be an object, found "hello"'],
  ])('refuses %s', (_, text, reason) => {
    expect(() => yaml(text)).toThrow(reason);
  });
});

describe('JSON', () => {
  it('may begin with a byte order mark, or with a tab', () => {
    expect(json(`\ufeff${minimal}`).devices).toHaveLength(1);
    expect(json(`\t${minimal.replaceAll(',', ',\n\t')}`).devices).toHaveLength(1);
    expect(parseCdiSpec(Buffer.from(`\ufeff${minimal}`), 'json').devices).toHaveLength(1);
  });

  it('may be YAML after all, as the reference reads both with one parser', () => {
    expect(json(minimal.replace(/\}$/, ',}')).devices).toHaveLength(1);
    expect(json(`# a comment\n${minimal}`).devices).toHaveLength(1);
  });

  it('turns numbers into text where text belongs, exactly', () => {
    const text = minimal.replace('"name":"d"', '"name":12345678901234567890');
    expect(json(text).devices[0]?.name).toBe('12345678901234567890');
  });

  it('keeps 64-bit numbers exact', () => {
    const text = JSON.stringify(spec({ d: { deviceNodes: [{ path: '/d', major: 1 }] } })).replace(
      '"major":1',
      '"major":9007199254740993',
    );
    expect(json(text).devices[0]?.containerEdits.deviceNodes?.[0]?.major).toBe(9007199254740993n);
    expect(() => json(text.replace('9007199254740993', '9223372036854775808'))).toThrow('found 9223372036854775808');
  });

  it.each([
    ['an empty text', '', 'the file is empty'],
    ['half a text', minimal.slice(0, 40), 'line 1'],
    ['a duplicate member', minimal.replace('{', '{"kind":"a/b",'), 'duplicate member "kind"'],
    ['a duplicate behind an escape', minimal.replace('{', '{"k\\u0069nd":"a/b",'), 'duplicate member "kind"'],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22]), 'not valid UTF-8'],
  ])('refuses %s', (_, text, reason) => {
    expect(() => parseCdiSpec(text, 'json')).toThrow(reason);
  });

  it('finds every duplicate member, with colons in names and texts or without', () => {
    const name = fc.constantFrom('a', 'b:', ':c', 'd', '::', 'x"y', 'ü');
    const member = fc.tuple(name, fc.constantFrom('v', 'v:w', ':', ''));
    fc.assert(
      fc.property(fc.array(member, { maxLength: 6 }), (members) => {
        const annotations = members.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',');
        const text = minimal.replace('{', `{"annotations":{${annotations}},`);
        const isUnique = new Set(members.map(([key]) => key)).size === members.length;
        const read = () => parseCdiSpec(text, 'json', { compat: 'go' });
        if (isUnique) expect(read().annotations).toEqual(Object.fromEntries(members));
        else expect(read).toThrow('duplicate member');
      }),
    );
  });
});

/** Without halves of surrogate pairs, which UTF-8 cannot carry. */
const isWellFormed = (value: string) => Buffer.from(value).toString() === value;
const word = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,8}[a-z]$/);
const tricky = fc.oneof(
  word,
  fc.constantFrom(
    'yes',
    'no',
    'on',
    'y',
    'null',
    '~',
    '0600',
    '0o17',
    '0x1f',
    '1_0',
    '1.5',
    '.5',
    '1e3',
    '<<',
    '*a',
    '&a',
    '!x',
    '# c',
    ': ',
    '- a',
    '',
    ' ',
    'a: b',
    '[',
    '{',
    '%',
    '@',
    '`',
    '|',
    '>',
    'é\u{1f600}',
    'a\nb',
    '\t',
    '0',
    '-1',
    '2001-01-01',
    '1:30',
  ),
  fc.string(),
);
const text = fc.oneof(tricky).filter((value) => value !== '' && isWellFormed(value) && !value.startsWith('\ufeff'));
const variable = fc
  .tuple(word, tricky)
  .map(([name, value]) => `${name}=${value}`)
  .filter((value) => isWellFormed(value));
const edits = fc.record({
  env: fc.array(variable, { minLength: 1 }),
  deviceNodes: fc.array(
    fc.record({ path: text, hostPath: text, fileMode: fc.nat(0o7777), major: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n) }),
    { maxLength: 2 },
  ),
  mounts: fc.array(
    fc.record({
      hostPath: text,
      containerPath: text,
      options: fc.array(tricky.filter((value) => isWellFormed(value))),
      type: word,
    }),
    { maxLength: 2 },
  ),
  hooks: fc.array(
    fc.record({
      hookName: fc.constantFrom('prestart' as const, 'poststop' as const),
      path: text,
      args: fc.array(text),
      timeout: fc.integer(),
    }),
    { maxLength: 1 },
  ),
});
const anySpec = fc.record({
  cdiVersion: fc.constant('1.1.0'),
  kind: fc.tuple(word, word).map((parts) => parts.join('/')),
  devices: fc.uniqueArray(
    fc.record({ name: fc.oneof(word, fc.constantFrom('y', 'on', '0600', '1', '1e3', 'null')), containerEdits: edits }),
    { minLength: 1, maxLength: 3, selector: ({ name }) => name },
  ),
});

describe('what is written', () => {
  it.each(['json', 'yaml'] as const)('is read back the same from %s', (format) => {
    fc.assert(
      fc.property(anySpec, (content) => {
        const read = parseCdiSpec(formatCdiSpec(content as CdiSpec, format), format);
        expect(read).toEqual(normal(content));
      }),
    );
  });

  it('is the same for equal specs, whatever the order of members', () => {
    fc.assert(
      fc.property(anySpec, (content) => {
        const reversed = Object.fromEntries(Object.entries(content).reverse()) as unknown as CdiSpec;
        expect(formatCdiSpec(reversed, 'yaml')).toBe(formatCdiSpec(content as CdiSpec, 'yaml'));
      }),
    );
  });
});

/** Bigints that a number holds exactly come back as numbers. */
function normal(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, normal(item)]));
}
