import type { Stats } from 'node:fs';
import { expect, it, vi } from 'vitest';
import { directory, put, spec } from '../../test-support/directories.ts';
import { Cache } from './cache.ts';

/** Kernels before 6.13 give files times of a clock that ticks every few milliseconds; newer ones can be finer. */
const TICK_MS = 10;

function coarse<T extends Stats | undefined>(stats: T): T {
  if (stats) {
    stats.mtimeMs -= stats.mtimeMs % TICK_MS;
    stats.ctimeMs -= stats.ctimeMs % TICK_MS;
  }
  return stats;
}

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  return {
    ...fs,
    statSync: (file: string, options?: { throwIfNoEntry: false }) => coarse(fs.statSync(file, options)),
    fstatSync: (descriptor: number) => coarse(fs.fstatSync(descriptor)),
  };
});

const withValue = (value: number) => spec({ d: { env: [`A=${value}`] } });

it('sees each of many changes in a row that leave size and time of the file as they were', () => {
  const dir = directory();
  const cache = new Cache({ specDirs: [dir], autoRefresh: false });
  for (let round = 0; round < 100; round++) {
    put(dir, 'a.json', withValue(round % 10));
    cache.refresh();
    expect(cache.getDevice('vendor.com/device=d')?.spec.containerEdits.env).toEqual([`A=${round % 10}`]);
  }
});

it('does not take a file that was looked at again for a changed one', () => {
  const dir = directory({ 'a.json': withValue(1) });
  const cache = new Cache({ specDirs: [dir], autoRefresh: false });
  const device = cache.getDevice('vendor.com/device=d');
  expect(cache.refresh()).toEqual([]);
  expect(cache.getDevice('vendor.com/device=d')).toBe(device);
});
