import { expect, test } from 'vitest';
import { functionOptions } from './function-options.ts';

test.each([
  ['nothing said: four virtual functions', {}, {}, { totalVfs: 4 }],
  ['a profile instead of what is assumed', {}, { totalVfs: 2, uuid: 'P' }, { totalVfs: 2, uuid: 'P' }],
  ['a profile of none', {}, { totalVfs: 0 }, { totalVfs: 0 }],
  ['a profile that is a virtual function', {}, { vf: true }, { vf: true }],
  ['flags above a profile', { uuid: 'F', totalVfs: 1 }, { totalVfs: 2, uuid: 'P' }, { totalVfs: 1, uuid: 'F' }],
  ['a virtual function by flag', { vf: true, vfIndex: 1, totalVfs: 4 }, {}, { vf: true, vfIndex: 1 }],
])('%s', (_, flags, profile, options) => {
  expect(functionOptions(flags, profile)).toEqual(options);
});
