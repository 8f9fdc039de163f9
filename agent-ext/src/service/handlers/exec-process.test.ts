import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { containerCalls } from '../../testing/container-calls.ts';

let fake: ReturnType<typeof containerCalls>;
beforeEach(async () => {
  fake = containerCalls();
  await fake.calls.create('c1');
  await fake.calls.start('c1');
});
afterEach(() => fake.tidyUp());

/** Streams close their descriptor in a later turn, so a test waits for the count. */
const descriptors = () => readdirSync('/proc/self/fd').length;

describe('an exec that has ended', () => {
  test('leaves nothing open once it was waited for and read', async () => {
    const { calls, end } = fake;
    const before = descriptors();
    for (let index = 0; index < 20; index++) {
      await calls.exec('c1', `e${index}`);
      end('c1', `e${index}`, 3, 'said');
      expect(await calls.read('c1', `e${index}`)).toBe('said');
      await calls.read('c1', `e${index}`, 'stderr');
      expect(await calls.wait('c1', `e${index}`)).toBe(3);
    }
    await expect.poll(descriptors).toBeLessThanOrEqual(before);
  });

  test('tells its status however often one asks, and the end of its output, in any order', async () => {
    const { calls, end } = fake;
    const before = descriptors();
    await calls.exec('c1', 'e');
    const waiting = [calls.wait('c1', 'e'), calls.wait('c1', 'e')];
    end('c1', 'e', 137, 'last words');
    expect(await Promise.all(waiting)).toEqual([137, 137]);
    expect(await calls.read('c1', 'e')).toBe('last words');
    expect(await calls.wait('c1', 'e')).toBe(137);
    expect(await calls.read('c1', 'e', 'stderr')).toBe('');
    await expect.poll(descriptors).toBeLessThanOrEqual(before);
    expect(await calls.wait('c1', 'e')).toBe(137);
    expect(await calls.read('c1', 'e')).toBe('');
    await expect(
      Promise.resolve(fake.agent.sandbox.get('c1').process('e').io.write(Buffer.from('x'))),
    ).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
  });

  test('lets its id be taken again, read or not; one that runs does not', async () => {
    const { calls, end } = fake;
    const before = descriptors();
    await calls.exec('c1', 'e');
    await expect(calls.exec('c1', 'e')).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    end('c1', 'e', 1, 'unread');
    await calls.wait('c1', 'e');
    await calls.exec('c1', 'e');
    end('c1', 'e', 2, 'new');
    expect(await calls.wait('c1', 'e')).toBe(2);
    expect(await calls.read('c1', 'e')).toBe('new');
    await calls.remove('c1');
    await expect.poll(descriptors).toBeLessThanOrEqual(before);
  });
});

describe('an exec that is being made', () => {
  test('has its id for itself', async () => {
    const { calls, runc } = fake;
    const { letGo } = runc.hold('exec');
    const both = [calls.exec('c1', 'e'), calls.exec('c1', 'e')];
    letGo();
    const results = await Promise.allSettled(both);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(runc.commands.filter((command) => command === 'exec e')).toHaveLength(1);
  });

  test('gives its id back when it fails', async () => {
    const { calls, runc } = fake;
    runc.fails = true;
    await expect(calls.exec('c1', 'e')).rejects.toThrow();
    runc.fails = false;
    await calls.exec('c1', 'e');
  });

  test.each(['container is removed', 'caller goes'])('leaves nothing when its %s meanwhile', async (what) => {
    const { calls, runc } = fake;
    const before = descriptors();
    const caller = new AbortController();
    const { entered, letGo } = runc.hold('exec');
    const exec = calls.exec('c1', 'e', caller.signal);
    await entered;
    if (what === 'caller goes') caller.abort(new Error('gone'));
    else await calls.remove('c1');
    letGo();
    await expect(exec).rejects.toThrow();
    runc.processes.get('c1/e')?.end(137);
    await expect.poll(descriptors).toBeLessThanOrEqual(before);
    if (what === 'caller goes') await expect(calls.wait('c1', 'e')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
