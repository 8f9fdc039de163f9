import { closeSync, openSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { POLLIN, poll, setNonblocking } from './descriptors.ts';
import { eventfd, eventfdRead, eventfdWrite } from './eventfd.ts';
import { eventfdSignal, eventfdTake } from './eventfd-shared.ts';
import { codeOf } from './testing.ts';

const FULL = 0xffff_ffff_ffff_fffen;
let fd: number;

beforeEach(() => {
  fd = eventfd();
});
afterEach(() => closeSync(fd));

it('adds 1 each time, however often', () => {
  for (let count = 0; count < 1000; count++) eventfdSignal(fd);
  expect(eventfdRead(fd)).toBe(1000n);
});

it('takes what was added, then nothing', () => {
  eventfdWrite(fd, 7n);
  expect([eventfdTake(fd), eventfdTake(fd)]).toEqual([7n, 0n]);
});

it('never waits for an owner who filled the counter and made it blocking', () => {
  eventfdWrite(fd, FULL);
  setNonblocking(fd, false);
  for (let count = 0; count < 100; count++) eventfdSignal(fd);
  expect(poll([{ fd, events: POLLIN }], 0)).not.toEqual([0]);
  expect(eventfdTake(fd)).toBeGreaterThanOrEqual(FULL);
  expect(eventfdTake(fd)).toBe(0n);
});

it('says so when the descriptor is no eventfd', () => {
  const file = openSync('/dev/null', 'r');
  expect(codeOf(() => eventfdSignal(file))).toBe('EINVAL');
  closeSync(file);
  expect(codeOf(() => eventfdSignal(file))).toBe('EBADF');
});
