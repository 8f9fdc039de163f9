import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { containerCalls } from '../../testing/container-calls.ts';

let fake: ReturnType<typeof containerCalls>;
beforeEach(() => {
  fake = containerCalls();
});
afterEach(() => fake.tidyUp());

describe('removing a container', () => {
  test('twice at once is done once, and both learn when', async () => {
    const { calls, runc, unmounted, agent } = fake;
    await calls.create('c1', ['shared', 'own']);
    await calls.create('c2', ['shared']);
    const { letGo } = runc.hold('delete');
    const both = [calls.remove('c1'), calls.remove('c1')];
    letGo();
    await Promise.all(both);
    expect(runc.commands.filter((command) => command === 'delete c1')).toHaveLength(1);
    expect(unmounted).toEqual(['own']);
    expect(agent.sandbox.containers.map(({ id }) => id)).toEqual(['c2']);
    await calls.remove('c2');
    expect(unmounted).toEqual(['own', 'shared']);
    await expect(calls.remove('c1')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('lets no call begin on it meanwhile but those that watch it end', async () => {
    const { calls, runc } = fake;
    await calls.create('c1');
    const { entered, letGo } = runc.hold('delete');
    const removal = calls.remove('c1');
    await entered;
    const reading = calls.read('c1', 'c1');
    const waiting = calls.wait('c1');
    await expect(calls.start('c1')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(calls.exec('c1', 'e')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(calls.create('c1')).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    runc.processes.get('c1')?.says('last words');
    runc.processes.get('c1')?.end(137);
    expect(await reading).toBe('last words');
    letGo();
    await removal;
    expect(await waiting).toBe(137);
  });

  test('releases its storages newest first: they may be mounted inside each other', async () => {
    const { calls, unmounted } = fake;
    await calls.create('c1', ['outer', 'outer/in', 'outer/in/most']);
    await calls.remove('c1');
    expect(unmounted).toEqual(['most', 'in', 'outer']);
  });

  test('that fails tells everybody who asked', async () => {
    const { calls, runc, unmounted } = fake;
    await calls.create('c1', ['volume']);
    runc.fails = true;
    const results = await Promise.allSettled([calls.remove('c1'), calls.remove('c1')]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(unmounted).toEqual(['volume']);
  });
});
