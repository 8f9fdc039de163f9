import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { sharedBinds } from './binds.ts';

const bundle = mkdtempSync(path.join(tmpdir(), 'kata-mock-binds-'));
mkdirSync(path.join(bundle, 'data'));
writeFileSync(path.join(bundle, 'a file'), '');
afterAll(() => rmSync(bundle, { recursive: true }));

it('shares bind mounts of files and directories under names like Kata’s, and nothing else', () => {
  const mounts = [
    { destination: '/proc', type: 'proc', source: 'proc' },
    { destination: '/dev/shm', type: 'bind', source: '/dev/shm', options: ['rbind'] },
    { destination: '/data', type: 'bind', source: 'data', options: ['rbind', 'ro'] },
    { destination: '/file', type: 'none', source: path.join(bundle, 'a file'), options: ['bind'] },
  ];
  expect(sharedBinds('c1', mounts, bundle)).toEqual([
    {
      destination: '/data',
      source: path.join(bundle, 'data'),
      name: expect.stringMatching(/^c1-[0-9a-f]{16}-data$/),
      readonly: true,
      recursive: true,
    },
    {
      destination: '/file',
      source: path.join(bundle, 'a file'),
      name: expect.stringMatching(/^c1-[0-9a-f]{16}-a_file$/),
      readonly: false,
      recursive: false,
    },
  ]);
});

it.each([
  ['/no/such', /there is no \/no\/such/],
  ['/dev/null', /neither file nor directory/],
])('refuses %s and names the mount', (source, message) => {
  const mount = { destination: '/x', type: 'bind', source };
  expect(() => sharedBinds('c1', [mount], bundle)).toThrow(message);
  expect(() => sharedBinds('c1', [mount], bundle)).toThrow('mount of /x');
});
