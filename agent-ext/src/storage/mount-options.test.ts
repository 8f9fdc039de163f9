import {
  MS_BIND,
  MS_DIRSYNC,
  MS_LAZYTIME,
  MS_NODEV,
  MS_NOSUID,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REC,
  MS_REMOUNT,
  MS_SLAVE,
} from '@kata-mock/posix';
import { expect, test } from 'vitest';
import { parseMountOptions } from './mount-options.ts';

test.each([
  [[], 0, '', 0],
  [['nosuid', 'nodev', 'mode=1777', 'size=64m'], MS_NOSUID | MS_NODEV, 'mode=1777,size=64m', 0],
  [['rbind', 'ro'], MS_BIND | MS_REC | MS_RDONLY, '', 0],
  [['ro', 'rw', 'defaults'], 0, '', 0],
  [['relatime', 'norelatime', 'diratime', 'nostrictatime'], 0, '', 0],
  [['dirsync', 'lazytime', 'discard'], MS_DIRSYNC | MS_LAZYTIME, 'discard', 0],
  [['rbind', 'rprivate', 'rw'], MS_BIND | MS_REC, '', MS_PRIVATE | MS_REC],
  [['slave'], 0, '', MS_SLAVE],
  [['remount', 'size=1m'], MS_REMOUNT, 'size=1m', 0],
  [['constructor', '__proto__'], 0, 'constructor,__proto__', 0],
])('%j is flags %i, data %j and propagation %i', (options, flags, data, propagation) => {
  expect(parseMountOptions(options)).toEqual({ flags, data, propagation });
});

test('flags of before hold unless an option takes them away', () => {
  const { flags } = parseMountOptions(['size=1m', 'suid'], MS_NOSUID | MS_NODEV);
  expect(flags).toBe(MS_NODEV);
});
