import { AgentService, Health } from '@kata-mock/contracts';
import { createClient } from 'ttrpc-ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AgentGuest } from '../support/agent-guest.ts';
import { createSandbox, sharedRoot, spec } from './containers.ts';

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
  const args = [
    '/usr/bin/node',
    '/usr/lib/kata-mock/agent/main.js',
    '--listen',
    'unix:///run/outer.sock',
    '--port',
    PORT,
  ];
  const OCI = spec([...args, '--proxy-to', `unix://${INNER}`, '--base', '/run/outer', '--no-init'], {
    Linux: { Resources: { Devices: [{ Allow: true, Access: 'rwm' }] } } as never,
  });
  const bind = (source: string) => ({ destination: source, source, type: 'bind', options: ['rbind', 'rw'] });
  OCI.Root = { Path: '/', Readonly: true };
  OCI.Mounts = ['/proc', '/sys', '/dev', '/run', '/tmp'].map(bind);
  await guest.agent.createContainer({ containerId: 'service', execId: 'service', OCI });
  await guest.agent.startContainer({ containerId: 'service' });
}

describe('the agent as a service, in front of another', () => {
  test('gives a container its device and its address through the agent behind it', async () => {
    await startService();
    const connection = await guest.connectPort(PORT);
    await createClient(Health, connection).check({}, { timeoutMs: 60_000 });
    const outer = createClient(AgentService, connection);
    const OCI = spec(['sh', '-c', 'echo $PCIDEVICE_X; cat /dev/mock1'], {
      Linux: { Devices: [{ Path: '/dev/mock1', Type: 'c', Major: 1n, Minor: 3n }] } as never,
    });
    OCI.Process = { ...OCI.Process, Env: ['PATH=/bin', 'PCIDEVICE_X=0000:1b:00.0'] } as never;
    const device = { type: 'mock-accel', id: '1', containerPath: '/dev/mock1', options: ['0000:1b:00.0=11/00'] };
    await outer.createContainer({ containerId: 'c1', execId: 'c1', OCI, devices: [device] });
    await outer.startContainer({ containerId: 'c1' });
    let output = '';
    for (let more = true; more; ) {
      const piece = await outer.readStdout({ containerId: 'c1', len: 4096 }).catch(() => undefined);
      output += Buffer.from(piece?.data ?? []).toString();
      more = piece !== undefined;
    }
    expect((await outer.waitProcess({ containerId: 'c1' })).status).toBe(0);
    expect(output).toMatch(/^0000:[0-9a-f]{2}:00\.0\n/);
    expect(output).not.toContain('0000:1b:00.0');
    expect(output).toContain(`UUID: ${guest.inventory[1]?.uuid}`);
    await outer.removeContainer({ containerId: 'c1' });
    connection.close();
    await guest.agent.signalProcess({ containerId: 'service', execId: 'service', signal: 15 });
    // A service ends with 0 at TERM.
    expect((await guest.agent.waitProcess({ containerId: 'service' })).status).toBe(0);
    await guest.agent.removeContainer({ containerId: 'service' });
  });
});
