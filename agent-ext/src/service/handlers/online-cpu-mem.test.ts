import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { OnlineCPUMemRequestSchema } from '@kata-mock/contracts';
import type { HandlerContext } from 'ttrpc-ts';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type FakeAgent, fakeAgent } from '../../testing/fake-agent.ts';
import { onlineCPUMem } from './online-cpu-mem.ts';

let fake: FakeAgent;
let call: (request: MessageInitShape<typeof OnlineCPUMemRequestSchema>) => Promise<unknown>;
beforeEach(() => {
  fake = fakeAgent();
  mkdirSync(`${system()}/cpu/cpu0`, { recursive: true });
  const handler = onlineCPUMem(fake.agent);
  const context = { signal: new AbortController().signal } as HandlerContext;
  call = async (request) => handler(create(OnlineCPUMemRequestSchema, request), context);
});
afterEach(() => {
  vi.useRealTimers();
  fake.remove();
});

const system = () => `${fake.guest.sysfs}/devices/system`;
/** A processor or a piece of memory that the kernel has taken notice of. */
const appears = (name: string, online = '0') => {
  const directory = `${system()}/${name.replace(/\d+$/, '')}/${name}`;
  mkdirSync(directory, { recursive: true });
  writeFileSync(`${directory}/online`, `${online}\n`);
};
const isOnline = (name: string) =>
  readFileSync(`${system()}/${name.replace(/\d+$/, '')}/${name}/online`, 'utf8').trim() === '1';

describe('processors that a shim has added', () => {
  test('are waited for though it does not ask to, and brought online', async () => {
    const done = call({ nbCpus: 2, cpuOnly: true });
    appears('cpu1');
    setImmediate(() => appears('cpu2'));
    await done;
    expect(['cpu1', 'cpu2'].map(isOnline)).toEqual([true, true]);
  });

  test('may be online before it asks', async () => {
    appears('cpu1', '1');
    await call({ nbCpus: 1, cpuOnly: true, wait: true });
  });

  test('are counted once, by calls one after the other and by calls at once', async () => {
    appears('cpu1');
    await call({ nbCpus: 1, cpuOnly: true });
    const both = [call({ nbCpus: 1, cpuOnly: true }), call({ nbCpus: 1, cpuOnly: true })];
    appears('cpu2');
    const first = await Promise.race(both.map((one, index) => one.then(() => index)));
    expect(first).toBe(0);
    appears('cpu3');
    await Promise.all(both);
  });

  test('are told from those that were unplugged meanwhile', async () => {
    appears('cpu1');
    await call({ nbCpus: 1, cpuOnly: true });
    rmSync(`${system()}/cpu/cpu1`, { recursive: true });
    await call({});
    appears('cpu1');
    await call({ nbCpus: 1, cpuOnly: true });
    expect(isOnline('cpu1')).toBe(true);
  });

  test('that do not come are an error', async () => {
    vi.useFakeTimers();
    const refused = expect(call({ nbCpus: 2, cpuOnly: true })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: '2 processors were promised and 3 should be online, 1 are after 5000 ms',
    });
    await vi.advanceTimersByTimeAsync(5_000);
    await refused;
  });
});

describe('a shim that says how many there are', () => {
  test('is answered at once when they are, and memory is brought online too', async () => {
    appears('memory32');
    appears('cpu1');
    await call({ nbCpus: 2 });
    await call({ nbCpus: 2 });
    expect([isOnline('cpu1'), isOnline('memory32')]).toEqual([true, true]);
  });

  test('and one that says nothing wait for nothing', async () => {
    appears('cpu1');
    await call({});
    expect(isOnline('cpu1')).toBe(true);
  });
});
