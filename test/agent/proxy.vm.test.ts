import { AgentService, Health } from '@kata-mock/contracts';
import { createClient } from 'ttrpc-ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AgentGuest } from '../support/agent-guest.ts';
import { createSandbox, readingMock1, run, sharedRoot } from './containers.ts';
import { onGuestRoot } from './guest-programs.ts';

const PORT = 'io.kata-mock.proxy';
const INNER = '/run/inner.sock';

let guest: AgentGuest;
beforeAll(async () => {
  guest = await AgentGuest.boot({ devices: 2, ports: [PORT], kernel: [`agent.server_addr=unix://${INNER}`] });
  await createSandbox(guest);
  sharedRoot(guest);
});
afterAll(() => guest?.stop());

/** The agent once more, as a plain process of the guest: on the guest's own root, with all its devices. */
async function startService(): Promise<void> {
  const args = ['/usr/bin/node', '/usr/lib/kata-mock/agent/main.js', '--listen', 'unix:///run/outer.sock'];
  const more = ['--port', PORT, '--proxy-to', `unix://${INNER}`, '--base', '/run/outer', '--no-init'];
  // Otherwise it would find the devices' directories masked, like any container that did not ask.
  const options = guest.inventory.map(({ hostAddress, deviceTreePath }) => `${hostAddress}=${deviceTreePath}`);
  const devices = [{ type: 'vfio-pci-gk', id: 'all', containerPath: '/dev/vfio/all', options }];
  const OCI = onGuestRoot(guest, [...args, ...more]);
  await guest.agent.createContainer({ containerId: 'service', execId: 'service', OCI, devices });
  await guest.agent.startContainer({ containerId: 'service' });
}

describe('the agent as a service, in front of another', () => {
  test('gives a container its device and its address through the agent behind it', async () => {
    await startService();
    const connection = await guest.connectPort(PORT);
    await createClient(Health, connection).check({}, { timeoutMs: 60_000 });
    const outer = { agent: createClient(AgentService, connection) };
    const { status, stdout } = await run(outer, 'c1', ...readingMock1());
    expect(status).toBe(0);
    expect(stdout).toMatch(/^0000:[0-9a-f]{2}:00\.0\n/);
    expect(stdout).not.toContain('0000:1b:00.0');
    expect(stdout).toContain(`UUID: ${guest.inventory[1]?.uuid}`);
    connection.close();
    await guest.agent.signalProcess({ containerId: 'service', execId: 'service', signal: 15 });
    // A service ends with 0 at TERM.
    expect((await guest.agent.waitProcess({ containerId: 'service' })).status).toBe(0);
  });
});
