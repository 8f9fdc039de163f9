import { expect, it } from 'vitest';
import { plainScalar } from './yaml-scalar.ts';

it.each<[string, unknown]>([
  ['', null],
  ['~', null],
  ['Null', null],
  ['y', true],
  ['YES', true],
  ['On', true],
  ['yEs', 'yEs'],
  ['n', false],
  ['off', false],
  ['False', false],
  ['0600', 384],
  ['0o600', 384],
  ['-010', -8],
  ['0x1F', 31],
  ['0b101', 5],
  ['1_000', 1000],
  ['+5', 5],
  ['08', 8],
  ['0', 0],
  ['9007199254740993', 9007199254740993n],
  ['-9223372036854775808', -9223372036854775808n],
  ['0.3', 0.3],
  ['.5', 0.5],
  ['1e3', 1000],
  ['-.inf', -Infinity],
  ['1.1.0', '1.1.0'],
  ['0.6.0', '0.6.0'],
  ['1:30', '1:30'],
  ['2001-01-01', '2001-01-01'],
  ['0000:1a:00.0', '0000:1a:00.0'],
  ['-', '-'],
  ['.', '.'],
  ['+', '+'],
  ['0xZ', '0xZ'],
  ['e5', 'e5'],
  ['nvidia.com/gpu', 'nvidia.com/gpu'],
])('reads %j as %s', (source, meaning) => {
  expect(plainScalar(source)).toEqual(meaning);
});

it('reads .nan as no number', () => {
  expect(plainScalar('.NaN')).toBeNaN();
});
