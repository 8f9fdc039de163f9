import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Deadlines } from './deadlines.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('each expires once, never early, and not much late', () => {
  const deadlines = new Deadlines();
  const expired = new Map<number, number>();
  const timeouts = [0, 1, 1.5, 50, 999, 1000, 1001, 5000, 5000, 86_400_000, 2 ** 31 + 5];
  timeouts.forEach((timeout, index) => {
    deadlines.start(timeout, () => expired.set(index, performance.now()));
  });
  const began = performance.now();
  for (const limit of [0, 1, 2, 51, 1000, 1020, 5020, 86_400_020, 2 ** 31 + 30]) {
    vi.advanceTimersByTime(limit + began - performance.now());
    timeouts.forEach((timeout, index) => {
      const at = expired.get(index);
      if (at !== undefined) expect(at - began).toBeGreaterThanOrEqual(timeout);
      else expect(timeout + (timeout < 1000 ? 1 : 17)).toBeGreaterThan(limit - 1);
    });
  }
  expect(expired.size).toBe(timeouts.length);
});

test('what is stopped does not expire, whenever it is stopped and started', () => {
  const step = fc.oneof(
    fc.record({ start: fc.integer({ min: 0, max: 3000 }) }),
    fc.record({ stop: fc.nat(20) }),
    fc.record({ advance: fc.integer({ min: 0, max: 1500 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const deadlines = new Deadlines();
      const started: { due: number; stop: () => void; stopped: boolean; expired: number }[] = [];
      for (const one of steps) {
        if ('start' in one) {
          const entry = { due: performance.now() + one.start, stop: () => {}, stopped: false, expired: 0 };
          const deadline = deadlines.start(one.start, () => entry.expired++);
          entry.stop = () => deadline.stop();
          started.push(entry);
        } else if ('stop' in one) {
          const entry = started[one.stop];
          entry?.stop();
          if (entry?.expired === 0) entry.stopped = true;
        } else vi.advanceTimersByTime(one.advance);
      }
      vi.advanceTimersByTime(5000);
      for (const { stopped, expired } of started) expect(expired).toBe(stopped ? 0 : 1);
      expect(vi.getTimerCount()).toBe(0);
    }),
  );
});

test('one that expires may stop and start others, of its own millisecond too', () => {
  const deadlines = new Deadlines();
  const seen: string[] = [];
  deadlines.start(10, () => {
    seen.push('first');
    second.stop();
    deadlines.start(0, () => seen.push('third'));
  });
  const second = deadlines.start(10, () => seen.push('second'));
  vi.advanceTimersByTime(20);
  expect(seen).toEqual(['first', 'third']);
});

test('a thousand calls share one timer', () => {
  const deadlines = new Deadlines();
  const all = Array.from({ length: 1000 }, (_, i) => deadlines.start(5000 + i, () => {}));
  expect(vi.getTimerCount()).toBe(1);
  for (const one of all) one.stop();
  vi.advanceTimersByTime(10_000);
  expect(vi.getTimerCount()).toBe(0);
});
