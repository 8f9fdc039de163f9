import { expect, it } from 'vitest';
import { UsageError } from './context.ts';
import { globMatcher } from './glob.ts';

it.each<[string, string, boolean]>([
  ['v.com/gpu=*', 'v.com/gpu=0', true],
  ['v.com/gpu=*', 'v.com/gpu=', true],
  ['*', 'v.com/gpu=0', false],
  ['*/gpu=?', 'v.com/gpu=0', true],
  ['*/gpu=?', 'v.com/gpu=10', false],
  ['v.com?gpu=0', 'v.com/gpu=0', false],
  ['v/c=[0-3]', 'v/c=2', true],
  ['v/c=[^0-3]', 'v/c=2', false],
  ['v/c=\\*', 'v/c=*', true],
  ['v/c=a*b*c', 'v/c=a1b2b3c', true],
  ['v/c=a*b*c', 'v/c=a1b2b3', false],
  ['vXcom/c=*', 'v.com/c=0', false],
])('%s against %s is %s', (glob, text, matches) => {
  expect(globMatcher(glob)(text)).toBe(matches);
});

it('needs no more time for many stars than for few', () => {
  const isMatch = globMatcher(`v/c=${'*a'.repeat(30)}b`);
  const start = performance.now();
  expect(isMatch(`v/c=${'a'.repeat(4000)}`)).toBe(false);
  expect(performance.now() - start).toBeLessThan(2000);
});

it.each(['v/c=[0', 'v/c=[z-a]'])('refuses %s as a usage error', (glob) => {
  expect(() => globMatcher(glob)).toThrow(UsageError);
});
