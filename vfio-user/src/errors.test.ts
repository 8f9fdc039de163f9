import { expect, test } from 'vitest';
import { describeFailure, VfioUserError } from './errors.ts';

test('a failure of a device is logged with the place in its code', () => {
  const { reason, at } = describeFailure(new TypeError('a mistake'));
  expect(reason).toBe('a mistake');
  expect(at).toMatch(/errors\.test\.ts:\d+:\d+/);
});

test('a refusal of ours is logged with its reason alone', () => {
  expect(describeFailure(new VfioUserError('DEVICE', 'no such register'))).toEqual({ reason: 'no such register' });
});

test('whatever else is thrown is logged as text', () => {
  expect(describeFailure('just text')).toEqual({ reason: 'just text' });
});
