import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { containerCalls } from '../../testing/container-calls.ts';

let fake: ReturnType<typeof containerCalls>;
beforeEach(() => {
  fake = containerCalls();
});
afterEach(() => fake.tidyUp());

describe('destroying a sandbox', () => {
  test('calls off a container that is being made, and is not done before that is undone', async () => {
    const { calls, runc, storages, unmounted, agent } = fake;
    const { entered, letGo } = runc.hold('create');
    const making = calls.create('c1', ['volume']);
    await entered;
    const destroyed = calls.destroy();
    expect(fake.ended()).toBe(0);
    letGo();
    await expect(making).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    await destroyed;
    expect(agent.sandbox.containers).toEqual([]);
    expect(runc.containers).toEqual([]);
    expect(storages.mountPoints).toEqual([]);
    expect(unmounted).toEqual(['volume']);
    expect(fake.ended()).toBe(1);
  });

  test('goes on without a container that does not come to an end, after a while', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    const { calls, runc } = fake;
    const { entered, letGo } = runc.hold('create');
    const making = calls.create('c1');
    await entered;
    const destroyed = calls.destroy();
    await vi.advanceTimersByTimeAsync(10_000);
    await destroyed;
    expect(fake.ended()).toBe(1);
    letGo();
    await expect(making).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    vi.useRealTimers();
  });

  test('lets none begin, then or later', async () => {
    const { calls, runc } = fake;
    await calls.create('c1');
    const { entered, letGo } = runc.hold('delete');
    const destroyed = calls.destroy();
    await entered;
    await expect(calls.create('c2')).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    letGo();
    await destroyed;
    await expect(calls.create('c2')).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    expect(runc.commands.filter((command) => command.startsWith('create'))).toEqual(['create c1']);
  });

  test('twice at once, and during a removal, takes everything away once', async () => {
    const { calls, runc, unmounted } = fake;
    await calls.create('c1', ['volume']);
    const { entered, letGo } = runc.hold('delete');
    const removal = calls.remove('c1');
    await entered;
    const both = [calls.destroy(), calls.destroy()];
    letGo();
    await Promise.all([removal, ...both]);
    expect(runc.commands).toEqual(['create c1', 'delete c1']);
    expect(unmounted).toEqual(['volume']);
    expect(fake.ended()).toBe(1);
  });
});
