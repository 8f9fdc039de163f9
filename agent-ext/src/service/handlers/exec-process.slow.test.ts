import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { containerCalls } from '../../testing/container-calls.ts';

const descriptors = () => readdirSync('/proc/self/fd').length;

test('a thousand execs in one container leave nothing open, and all but the last are forgotten', {
  timeout: 60_000,
}, async () => {
  const { calls, end, tidyUp } = containerCalls();
  await calls.create('c1');
  await calls.start('c1');
  const before = descriptors();
  for (let index = 0; index < 1000; index++) {
    const id = `e${index}`;
    await calls.exec('c1', id);
    end('c1', id, 3, 'said');
    expect(await calls.read('c1', id)).toBe('said');
    await calls.read('c1', id, 'stderr');
    expect(await calls.wait('c1', id)).toBe(3);
  }
  await expect.poll(descriptors).toBeLessThanOrEqual(before);
  expect(await calls.wait('c1', 'e999')).toBe(3);
  await expect(calls.wait('c1', 'e0')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  tidyUp();
});
