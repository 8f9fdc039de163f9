import { chmodSync } from 'node:fs';
import { expect, it } from 'vitest';
import { directory, put, spec } from '../../test-support/directories.ts';
import type { ContainerEdits } from '../types.ts';
import { lintDirectories, lintFile } from './lint.ts';

const lint = (name: string, content: string | object) => {
  const file = put(directory(), name, content);
  return lintFile(file).map(({ severity, rule, path, message, fix }) => ({ severity, rule, path, message, fix }));
};
const edits = (containerEdits: ContainerEdits, cdiVersion = '0.3.0') => spec({ d: containerEdits }, { cdiVersion });
const node = (more: object) => edits({ deviceNodes: [{ path: '/dev/null', ...more }] });
const yaml = (more: string) =>
  `cdiVersion: "0.5.0"\nkind: v.com/c\ndevices:\n- name: "0"\n  containerEdits:\n    ${more}\n`;

it('has nothing to say of a good spec', () => {
  expect(lint('a.json', edits({ env: ['A=1'], deviceNodes: [{ path: '/dev/null' }] }))).toEqual([]);
  expect(lint('a.yaml', yaml('deviceNodes: [{path: /dev/null, fileMode: 0600}]'))).toEqual([]);
});

it.each<[string, string, string | object, object]>([
  [
    'an error that keeps the file from being used',
    'a.json',
    edits({}),
    {
      severity: 'error',
      rule: 'invalid',
      path: '$.devices[0].containerEdits',
      message: expect.stringContaining('has no edits'),
    },
  ],
  [
    'a version that is too low, with the one that is needed',
    'a.json',
    edits({ additionalGids: [1] }),
    {
      severity: 'error',
      message: expect.stringContaining('must be at least v0.7.0 because of intelRdt or additionalGids'),
      fix: 'write cdiVersion: "0.7.0"',
    },
  ],
  [
    'a version higher than needed',
    'a.json',
    edits({ env: ['A=1'] }, '1.1.0'),
    { severity: 'note', rule: 'version-too-high', fix: expect.stringContaining('cdiVersion: "0.3.0"') },
  ],
  [
    'a mode that was meant to be octal, in JSON',
    'a.json',
    node({ fileMode: 666 }),
    {
      severity: 'warning',
      rule: 'file-mode',
      message: 'file mode 666 is decimal and means 01232',
      fix: 'for 0666 write 438',
    },
  ],
  [
    'a mode that was meant to be octal, in YAML',
    'a.yaml',
    yaml('deviceNodes: [{path: /dev/null, fileMode: 600}]'),
    { rule: 'file-mode', fix: 'for 0600 write 0600, or 384' },
  ],
  [
    'a mode that nobody can want',
    'a.json',
    node({ fileMode: 0 }),
    { rule: 'file-mode', message: expect.stringContaining('file mode 0') },
  ],
  [
    'a mode with too many bits',
    'a.json',
    node({ fileMode: 0o20666 }),
    { rule: 'file-mode', message: expect.stringContaining('beyond 07777') },
  ],
  [
    'a node that is missing',
    'a.json',
    edits({ deviceNodes: [{ path: '/nowhere' }] }),
    {
      severity: 'warning',
      rule: 'host-resource',
      message: expect.stringContaining('/nowhere does not exist; injection will fail'),
    },
  ],
  [
    'a node that is missing and not needed',
    'a.json',
    edits({ deviceNodes: [{ path: '/nowhere', type: 'c', major: 1 }] }),
    { severity: 'note', rule: 'host-resource' },
  ],
  [
    'a node that has other numbers',
    'a.json',
    node({ type: 'c', major: 9, minor: 9 }),
    { severity: 'warning', message: '/dev/null is 1:3 on this host, the spec says 9:9' },
  ],
  [
    'a node of another type',
    'a.json',
    node({ type: 'b' }),
    { severity: 'warning', message: '/dev/null has type c on this host, not b' },
  ],
  [
    'a mount of nothing',
    'a.json',
    edits({ mounts: [{ hostPath: '/nowhere', containerPath: '/x' }] }),
    { rule: 'host-resource', message: '/nowhere does not exist on this host' },
  ],
  [
    'a mount to no absolute path',
    'a.json',
    edits({ mounts: [{ hostPath: '/', containerPath: 'x' }] }),
    { message: 'x is not absolute' },
  ],
  [
    'a hook that OCI runtimes refuse',
    'a.json',
    edits({ hooks: [{ hookName: 'prestart', path: 'x' }] }),
    { fix: expect.stringContaining('OCI runtimes refuse it') },
  ],
  [
    'a hook that cannot be run',
    'a.json',
    edits({ hooks: [{ hookName: 'prestart', path: '/dev/null' }] }),
    { message: expect.stringContaining('not an executable file') },
  ],
  [
    'a timeout of nothing',
    'a.json',
    edits({ hooks: [{ hookName: 'prestart', path: '/bin/sh', timeout: 0 }] }),
    { message: 'timeout 0 is not above 0' },
  ],
  [
    'YAML that is a boolean',
    'a.yaml',
    yaml('env: [A=1]').replace('"0"', 'y'),
    {
      severity: 'warning',
      rule: 'text-trap',
      path: '$.devices[0].name',
      message: 'y without quotes is a boolean in YAML, read as "true"',
      fix: 'write "y" in quotes',
    },
  ],
  [
    'YAML that is another number',
    'a.yaml',
    yaml('env: [A=1]').replace('"0"', '010'),
    { message: '010 without quotes is a number in YAML, read as "8"' },
  ],
  [
    'YAML that is a number as it looks',
    'a.yaml',
    yaml('env: [A=1]').replace('"0"', '7'),
    { severity: 'note', message: '7 without quotes is a number in YAML' },
  ],
  [
    'an argument that is a boolean',
    'a.yaml',
    yaml('hooks: [{hookName: prestart, path: /bin/sh, args: [yes]}]'),
    { path: '$.devices[0].containerEdits.hooks[0].args[0]' },
  ],
  [
    'a second document',
    'a.yaml',
    `${yaml('env: [A=1]')}---\nmore: 1\n`,
    { message: 'only the first YAML document is read' },
  ],
  [
    'a member in another case',
    'a.json',
    { ...edits({ env: ['A=1'] }), kind: undefined, Kind: 'v/c' },
    { severity: 'warning', path: '$.Kind', fix: expect.stringContaining('write kind') },
  ],
  [
    'JSON that is YAML',
    'a.json',
    `${JSON.stringify(edits({ env: ['A=1'] })).slice(0, -1)},}`,
    { severity: 'warning', message: expect.stringContaining('read as YAML') },
  ],
  [
    'variables that hide each other',
    'a.json',
    spec({ a: { env: ['X=1'] }, b: { env: ['X=2'] } }, { cdiVersion: '0.3.0' }),
    { severity: 'note', rule: 'env-overlap', message: expect.stringContaining('devices a and b set X') },
  ],
])('tells of %s', (_, name, content, finding) => {
  expect(lint(name, content)).toContainEqual(expect.objectContaining(finding));
});

it.each([0o600, 0o640, 0o644, 0o660, 0o666, 0o755, 0o777, 0o4755, 0o1777])(
  'has nothing to say of mode %d',
  (fileMode) => {
    expect(lint('a.json', node({ fileMode }))).toEqual([]);
  },
);

it('looks at directories as a whole: ignored files, modes, conflicts, hidden devices', () => {
  const content = edits({ env: ['A=1'] });
  const low = directory({ 'a.json': content, 'typo.yml': 'x' });
  const high = directory({
    'a.json': content,
    'b.json': spec(['e'], { cdiVersion: '0.3.0' }),
    'c.json': spec(['e'], { cdiVersion: '0.3.0' }),
  });
  chmodSync(`${high}/b.json`, 0o600);
  const file = put(directory(), 'file', '');
  const found = lintDirectories([low, file, high]);
  expect(found.map(({ severity, rule, file: where }) => [severity, rule, where])).toEqual([
    ['error', 'directory', file],
    ['warning', 'ignored-file', `${low}/typo.yml`],
    ['note', 'unreadable', `${high}/b.json`],
    ['error', 'conflict', expect.stringContaining(high)],
    ['note', 'hidden', `${low}/a.json`],
  ]);
});
