import { closeSync, writeSync } from 'node:fs';
import { expect, test } from 'vitest';
import { memfdCreate } from './memory.ts';
import { seekData, seekHole } from './sparse.ts';

test('data and holes of a sparse file are found, also above 4 GiB', () => {
  const size = 2 ** 36;
  const fd = memfdCreate('sparse', { size, seal: true });
  expect(seekData(fd, 0)).toBeUndefined();
  const far = 2 ** 35;
  writeSync(fd, Uint8Array.of(1), 0, 1, far + 5);
  expect(seekData(fd, 0)).toBe(far);
  expect(seekHole(fd, far)).toBe(far + 4096);
  expect(seekHole(fd, 0)).toBe(0);
  expect(seekData(fd, far + 4096)).toBeUndefined();
  expect(seekData(fd, size)).toBeUndefined();
  closeSync(fd);
});

test('a descriptor that is none is an error', () => {
  expect(() => seekData(-1, 0)).toThrow(expect.objectContaining({ code: 'EBADF' }));
});
