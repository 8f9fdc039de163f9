import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { imageWithSystemd } from '../../guest-image/src/index.ts';
import { AgentGuest } from '../support/agent-guest.ts';
import { build, root } from '../support/paths.ts';
import { createSandbox, inGuest, run, sharedRoot, spec } from './containers.ts';

let guest: AgentGuest;
beforeAll(async () => {
  const rootImage = await imageWithSystemd(path.join(build, 'test/systemd'), path.join(root, 'dist/agent'));
  // As Kata asks for it; the first program is systemd.
  guest = await AgentGuest.boot({ rootImage, kernel: ['systemd.unit=kata-containers.target'] });
  sharedRoot(guest);
  await createSandbox(guest);
}, 240_000);
afterAll(() => guest?.stop());

const device = { Annotations: { 'cdi.k8s.io/x': 'kata-mock.dev/accel=0' } };
const UNIT_CGROUP = '/system.slice/kata-mock-agent.service';
/** Prints the agent's pid. The brackets keep it from finding the shell that runs it. */
const AGENT_PID = `grep -l 'kata-mock/agent/main[.]js' /guest/proc/[0-9]*/cmdline | cut -d/ -f4 | head -n 1`;

describe('the agent as a service of systemd', () => {
  test('is no first program, runs in its unit, and its driver was loaded by udev', async () => {
    const script = `p=$(${AGENT_PID}); cat /guest/proc/1/comm /guest/proc/$p/cgroup; ls /guest/sys/class/mock-accel`;
    const lines = (await inGuest(guest, 'look', script)).trim().split('\n');
    expect(lines).toEqual(['systemd', `0::${UNIT_CGROUP}`, 'mock0']);
  });

  test('gives a container its device', async () => {
    const { stdout } = await run(guest, 'c1', spec(['cat', '/dev/mock0'], device));
    expect(stdout).toContain('Mock Accelerator Device');
  });

  test('what it mounts is seen by the whole guest: the unit has no mount namespace of its own', async () => {
    expect(
      await inGuest(guest, 'look', 'grep -c " /run/kata-containers/shared/containers" /guest/proc/1/mountinfo'),
    ).toBe('1\n');
  });

  test('comes back after a crash, with none of the containers it had', async () => {
    const { agent } = guest;
    await agent.createContainer({ containerId: 'old', execId: 'old', OCI: spec(['sleep', '1000']) });
    await agent.startContainer({ containerId: 'old' });
    // The container that kills it is in a pid namespace of its own, and gets no answer any more.
    const killer = spec(['sh', '-c', `echo 1 > /cgroup${UNIT_CGROUP}/cgroup.kill`]);
    killer.Mounts?.push({ destination: '/cgroup', type: 'bind', source: '/sys/fs/cgroup', options: ['rbind', 'rw'] });
    void run(guest, 'killer', killer).catch(() => {});
    await restarted();
    await createSandbox(guest);
    const sleeping = 'cat /guest/proc/[0-9]*/cmdline | tr "\\0" " " | grep -c "sleep 100[0]"';
    expect(await inGuest(guest, 'look', sleeping)).toBe('0\n');
    // The name is free again.
    expect((await run(guest, 'old', spec(['true'], device))).status).toBe(0);
  });
});

/** A new process answers: one that knows no container. */
async function restarted(): Promise<void> {
  const deadline = performance.now() + 60_000;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      last = await guest.agent.statsContainer({ containerId: 'old' }, { timeoutMs: 1_000 });
    } catch (error) {
      last = error;
      if (/no container "old"/.test((error as Error).message)) return;
    }
  }
  throw new Error(`no new agent: ${last}`);
}
