import { MS_BIND, MS_NODEV, MS_NOSUID, MS_RDONLY, MS_REC } from '@kata-mock/posix';
import { expect, test } from 'vitest';
import { parseMountOptions } from './mount-options.ts';

test.each([
  [[], 0, ''],
  [['nosuid', 'nodev', 'mode=1777', 'size=64m'], MS_NOSUID | MS_NODEV, 'mode=1777,size=64m'],
  [['rbind', 'ro'], MS_BIND | MS_REC | MS_RDONLY, ''],
  [['ro', 'rw', 'defaults'], 0, ''],
])('%j is flags %i and data %j', (options, flags, data) => {
  expect(parseMountOptions(options)).toEqual({ flags, data });
});
