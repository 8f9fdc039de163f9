import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AgentGuest } from '../support/agent-guest.ts';
import { createSandbox, inGuest, readAll, sharedRoot, spec } from './containers.ts';

/** The requirement is 200 (KATA_MOCK_ROUNDS=200): some eight minutes under emulation, so every day it is fewer. */
const ROUNDS = Number(process.env['KATA_MOCK_ROUNDS'] ?? 30);
/** Every so many rounds there is an exec as well. */
const EXEC_EVERY = 5;

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
  bundles: 'ls -A /guest/run/kata-containers/.bundles | wc -l',
  processes: 'ls -d /guest/proc/[0-9]* | while read p; do [ -s $p/cmdline ] && echo $p; done | wc -l',
};

async function counts(): Promise<Record<string, number>> {
  const lines = (await inGuest(guest, 'look', Object.values(COUNTS).join('; '))).trim().split('\n');
  return Object.fromEntries(Object.keys(COUNTS).map((name, index) => [name, Number(lines[index])]));
}

async function memory(): Promise<number> {
  const text = await inGuest(guest, 'look', "awk '/^VmRSS/ {print $2}' /guest/proc/1/status");
  return Number(text.trim());
}

describe('containers that come and go', () => {
  test(`${ROUNDS} rounds of create, start, exec, wait and remove leave nothing behind`, {
    timeout: 1_800_000,
  }, async () => {
    await round('warm-up');
    const before = await counts();
    const memoryBefore = await memory();
    for (let index = 0; index < ROUNDS; index++) await round(`r${index}`, index % EXEC_EVERY === 0);
    expect(await counts()).toEqual(before);
    const memoryAfter = await memory();
    console.log(`agent memory: ${memoryBefore} kB before, ${memoryAfter} kB after ${ROUNDS} rounds`);
    const checks = performance.now();
    for (let call = 0; call < 200; call++) await guest.health.check({});
    const rate = 200 / ((performance.now() - checks) / 1000);
    console.log(
      `agent ready after ${Math.round(guest.readyMs)} ms; ${Math.round(rate)} Check calls/s by virtio-serial`,
    );
    expect(memoryBefore).toBeLessThan(90 * 1024);
    expect(memoryAfter).toBeLessThan(90 * 1024);
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

async function round(id: string, withExec = true): Promise<void> {
  const { agent } = guest;
  const OCI = spec(['sh', '-c', 'read line; exit 4'], { Annotations: { 'cdi.k8s.io/x': 'kata-mock.dev/accel=0' } });
  await agent.createContainer({ containerId: id, execId: id, OCI });
  await agent.startContainer({ containerId: id });
  if (withExec) await readByExec(id);
  await agent.closeStdin({ containerId: id, execId: id });
  expect((await agent.waitProcess({ containerId: id, execId: id })).status).toBe(4);
  await agent.removeContainer({ containerId: id });
}

async function readByExec(id: string): Promise<void> {
  const process = { Args: ['cat', '/dev/mock0'], Cwd: '/', Env: ['PATH=/bin'], User: {} };
  await guest.agent.execProcess({ containerId: id, execId: 'e', process });
  expect(await readAll(guest, id, 'e')).toContain('Mock Accelerator Device');
  expect((await guest.agent.waitProcess({ containerId: id, execId: 'e' })).status).toBe(0);
}
