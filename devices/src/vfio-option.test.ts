import { expect, test } from 'vitest';
import { parseVfioOption } from './vfio-option.ts';

test('an option is a host address and a device tree path', () => {
  expect(parseVfioOption('0000:65:0.0=02/01')).toEqual({ host: '0000:65:00.0', path: '02/01' });
});

test('an empty path means that the shim could not tell it', () => {
  expect(parseVfioOption('0000:65:00.0=')).toEqual({ host: '0000:65:00.0', path: undefined });
});

test.each(['0000:65:00.0', '0000:65:00.0=02=01', '=02', 'x=02/01', '0000:65:00.0=zz', '0000:65:00.0=02//01', ''])(
  'refuses %j and quotes it',
  (option) => {
    expect(() => parseVfioOption(option)).toThrow(`Malformed VFIO PCI option "${option}"`);
  },
);
