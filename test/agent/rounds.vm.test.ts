import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AgentGuest } from '../support/agent-guest.ts';
import { createSandbox, inGuest, readAll, type SpecInit, sharedRoot, spec } from './containers.ts';

/** Fewer, in tens, for a quick look: then the agent's memory is not judged. */
const ROUNDS = Number(process.env['KATA_MOCK_ROUNDS'] ?? 200);
/** Containers in flight: as many as the guest has CPUs. */
const AT_ONCE = 2;
/** Every so many rounds there is an exec as well. */
const EXEC_EVERY = 5;
/** The agent's memory is looked at so often. */
const LOOK_EVERY = Math.min(50, ROUNDS);
/**
 * Bytes that the second hundred of rounds may add: a container that left its record behind would cost 20 KB, so a
 * hundred of them 2 MB. The resident part moves with V8's pages, the heap with what it has not collected yet.
 */
const MORE_RESIDENT = 3_000_000;
const MORE_HEAP = 1_500_000;

let guest: AgentGuest;
beforeAll(async () => {
  guest = await AgentGuest.boot({ devices: 1 });
  await createSandbox(guest);
  sharedRoot(guest);
});
afterAll(() => guest?.stop());

const COUNTS = {
  mounts: 'wc -l < /guest/proc/1/mountinfo',
  cgroups: 'find /guest/sys/fs/cgroup -type d | wc -l',
  descriptors: 'ls /guest/proc/1/fd | wc -l',
  bundles: 'ls -A /guest/run/kata-mock-agent/bundles | wc -l',
  processes: 'ls -d /guest/proc/[0-9]* | while read p; do [ -s $p/cmdline ] && echo $p; done | wc -l',
};

async function counts(): Promise<Record<string, number>> {
  const lines = (await inGuest(guest, 'look', Object.values(COUNTS).join('; '))).trim().split('\n');
  return Object.fromEntries(Object.keys(COUNTS).map((name, index) => [name, Number(lines[index])]));
}

interface Memory {
  resident: number;
  heap: number;
}

/** Bytes of the agent, as it tells them itself. */
async function memory(): Promise<Memory> {
  const { metrics } = await guest.agent.getMetrics({});
  const value = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(metrics)?.[1]);
  return { resident: value('kata_agent_total_rss'), heap: value('kata_agent_heap_used') };
}

test('the agent began from its snapshot', async () => {
  expect(await inGuest(guest, 'look', 'cat /guest/proc/1/cmdline')).toContain('--snapshot-blob');
});

describe('containers that come and go', () => {
  test(`${ROUNDS} rounds of create, start, exec, wait and remove leave nothing behind`, {
    timeout: 900_000,
  }, async () => {
    await round('warm-up');
    const before = await counts();
    const memories = [await memory()];
    for (let done = 0; done < ROUNDS; done += LOOK_EVERY) {
      await rounds(done, done + LOOK_EVERY);
      memories.push(await memory());
    }
    const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
    for (const [index, { resident, heap }] of memories.entries())
      console.log(`agent after ${index * LOOK_EVERY} rounds: ${megabytes(resident)} MB, heap ${megabytes(heap)} MB`);
    expect(await counts()).toEqual(before);
    if (ROUNDS < 200) return;
    const half = memories[ROUNDS / 2 / LOOK_EVERY] as Memory;
    const last = memories.at(-1) as Memory;
    expect(last.resident - half.resident).toBeLessThan(MORE_RESIDENT);
    expect(last.heap - half.heap).toBeLessThan(MORE_HEAP);
    expect(last.resident).toBeLessThan(90 * 1024 * 1024);
  });

  test('execs in one container leave no descriptor behind, in whichever order they are waited for and read', async () => {
    const { agent } = guest;
    await agent.createContainer({ containerId: 'long', execId: 'long', OCI: withMock(['sleep', '1000']) });
    await agent.startContainer({ containerId: 'long' });
    await readByExec('long');
    const before = await counts();
    for (let done = 0; done < 10; done++) await readByExec('long', done % 2 === 0);
    expect(await counts()).toEqual(before);
    expect((await agent.waitProcess({ containerId: 'long', execId: 'e' })).status).toBe(0);
    await agent.removeContainer({ containerId: 'long' });
  });

  test('calls run beside each other: a hundred waits, and Check answers at once', async () => {
    const { agent, health } = guest;
    await agent.createContainer({ containerId: 'busy', execId: 'busy', OCI: spec(['sleep', '1000']) });
    await agent.startContainer({ containerId: 'busy' });
    const waits = Array.from({ length: 100 }, () => agent.waitProcess({ containerId: 'busy' }));
    const reads = Array.from({ length: 20 }, () =>
      agent.readStdout({ containerId: 'busy', len: 100 }).catch(() => 'end'),
    );
    await health.check({}, { timeoutMs: 5_000 });
    await agent.signalProcess({ containerId: 'busy', signal: 9 });
    expect(new Set((await Promise.all(waits)).map(({ status }) => status))).toEqual(new Set([137]));
    expect(new Set(await Promise.all(reads))).toEqual(new Set(['end']));
    await agent.removeContainer({ containerId: 'busy' });
  });
});

/** Rounds `from` to `to`, some at once. */
async function rounds(from: number, to: number): Promise<void> {
  let next = from;
  const one = async () => {
    while (next < to) {
      const index = next++;
      await round(`r${index}`, index % EXEC_EVERY === 0);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

function withMock(args: string[]): SpecInit {
  return spec(args, { Annotations: { 'cdi.k8s.io/x': 'kata-mock.dev/accel=0' } });
}

async function round(id: string, withExec = true): Promise<void> {
  const { agent } = guest;
  const OCI = withMock(['sh', '-c', 'read line; exit 4']);
  await agent.createContainer({ containerId: id, execId: id, OCI });
  await agent.startContainer({ containerId: id });
  if (withExec) await readByExec(id);
  await agent.closeStdin({ containerId: id, execId: id });
  expect((await agent.waitProcess({ containerId: id, execId: id })).status).toBe(4);
  await agent.removeContainer({ containerId: id });
}

/** The same id each time: it is free again when the exec has ended. */
async function readByExec(id: string, waitFirst = false): Promise<void> {
  const process = { Args: ['cat', '/dev/mock0'], Cwd: '/', Env: ['PATH=/bin'], User: {} };
  await guest.agent.execProcess({ containerId: id, execId: 'e', process });
  const ended = async () => expect((await guest.agent.waitProcess({ containerId: id, execId: 'e' })).status).toBe(0);
  if (waitFirst) await ended();
  expect(await readAll(guest, id, 'e')).toContain('Mock Accelerator Device');
  await readAll(guest, id, 'e', 'readStderr');
  if (!waitFirst) await ended();
}
