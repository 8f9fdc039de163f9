import { expect, it, vi } from 'vitest';
import { directory, put, spec } from '../../test-support/directories.ts';
import { Cache } from './cache.ts';

vi.mock('node:fs', async (original) => ({
  ...(await original<typeof import('node:fs')>()),
  watch: () => {
    throw Object.assign(new Error('EMFILE: too many open files, watch'), { code: 'EMFILE' });
  },
}));

it('a cache that cannot watch looks at its directories with every query', () => {
  const dir = directory();
  const cache = new Cache({ specDirs: [dir] });
  expect(cache.listDevices()).toEqual([]);
  put(dir, 'a.json', spec(['d']));
  expect(cache.listDevices()).toEqual(['vendor.com/device=d']);
  cache.close();
});
