import { expect, it } from 'vitest';
import { quote, shorten } from './errors.ts';

it('quotes numbers as they are, also those that JSON has no word for', () => {
  expect([1, 1.5, Infinity, 5n].map(quote)).toEqual(['1', '1.5', 'Infinity', '5']);
});

it('leaves plausible names alone and cuts others short', () => {
  expect(shorten('vendor.com/gpu=0')).toBe('vendor.com/gpu=0');
  expect(shorten('a\u001b')).toBe('"a\\u001b"');
  expect(shorten('a'.repeat(1000)).length).toBeLessThan(100);
});
