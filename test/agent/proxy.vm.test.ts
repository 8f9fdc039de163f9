import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildExtension } from '@kata-mock/agent-ext';
import { AgentService, Health } from '@kata-mock/contracts';
import { createClient } from 'ttrpc-ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AgentGuest, SHARED } from '../support/agent-guest.ts';
import { artefacts } from '../support/artefacts.ts';
import { root } from '../support/paths.ts';
import { createSandbox, readAll, sharedRoot, spec } from './containers.ts';

/** Runs a program of an unpacked root on this machine, by that root's own loader. */
const loaderCommand = (from: string, program: string): [string, string[]] => [
  path.join(from, 'usr/lib64/ld-linux-x86-64.so.2'),
  ['--library-path', path.join(from, 'usr/lib/x86_64-linux-gnu'), path.join(from, program)],
];
const PORT = 'io.kata-mock.proxy';
const INNER = '/run/inner.sock';

let guest: AgentGuest;
/** Why no extension can be built on this machine: Debian's Node is in pieces. */
let unavailable: string | undefined;
beforeAll(async () => {
  const kernel = [`agent.server_addr=unix://${INNER}`];
  const disks: string[] = [];
  try {
    disks.push(extensionImage());
  } catch (error) {
    unavailable = (error as Error).message;
  }
  guest = await AgentGuest.boot({ devices: 2, ports: [PORT], disks, kernel });
  await createSandbox(guest);
  sharedRoot(guest);
});
afterAll(() => guest?.stop());

/** A guest extension from this Node and the bundled agent. */
function extensionImage(): string {
  const { toolchain } = artefacts();
  const mkfs = loaderCommand(toolchain, 'usr/bin/mkfs.erofs');
  const directory = mkdtempSync(path.join(tmpdir(), 'km-extension-'));
  const image = path.join(directory, 'kata-mock.img');
  buildExtension({ node: process.execPath, agent: path.join(root, 'dist/agent'), mkfs: [mkfs[0], ...mkfs[1]] }, image);
  return image;
}

/** Mounts the extension as a Kata guest does, from its first partition, and returns its launcher. */
async function mountExtension(): Promise<string[]> {
  const mountPoint = '/run/kata-containers/extension';
  const storage = { driver: 'blk', source: '/dev/vdb1', fstype: 'erofs', options: ['ro'], mountPoint };
  const look = spec(['sh', '-c', 'cat /e/etc/kata-extensions/components.toml']);
  look.Mounts = [...(look.Mounts ?? []), { destination: '/e', source: mountPoint, type: 'bind', options: ['rbind'] }];
  // The sandbox keeps what a container that stays has asked for.
  await guest.agent.createContainer({ containerId: 'holder', execId: 'holder', OCI: look, storages: [storage] });
  await guest.agent.startContainer({ containerId: 'holder' });
  expect(await readAll(guest, 'holder')).toContain('path  = "usr/bin/kata-mock-agent"');
  return [`${mountPoint}/usr/bin/kata-mock-agent`];
}

/** The agent once more, as a plain process of the guest: on the guest's own root, with all its devices. */
async function startService(program: string[]): Promise<void> {
  const args = [...program, '--listen', 'unix:///run/outer.sock', '--port', PORT];
  const OCI = spec([...args, '--proxy-to', `unix://${INNER}`, '--base', '/run/outer', '--no-init'], {
    Linux: { Resources: { Devices: [{ Allow: true, Access: 'rwm' }] } } as never,
  });
  const bind = (source: string) => ({ destination: source, source, type: 'bind', options: ['rbind', 'rw'] });
  // runc cannot take / itself as a root: the guest's programs come by binds.
  const places = ['bin', 'sbin', 'lib', 'lib64', 'usr', 'etc', 'proc', 'sys', 'dev', 'run', 'tmp'];
  for (const name of places) mkdirSync(path.join(guest.share, 'service', name), { recursive: true });
  OCI.Root = { Path: `${SHARED}/service` };
  const programs = ['bin', 'sbin', 'lib', 'lib64'].map((name) => ({
    ...bind(`/usr/${name}`),
    destination: `/${name}`,
  }));
  OCI.Mounts = [...['/proc', '/sys', '/dev', '/run', '/tmp', '/etc', '/usr'].map(bind), ...programs];
  // Otherwise it would find the devices' directories masked, like any container that did not ask.
  const options = guest.inventory.map(({ hostAddress, deviceTreePath }) => `${hostAddress}=${deviceTreePath}`);
  const devices = [{ type: 'vfio-pci-gk', id: 'all', containerPath: '/dev/vfio/all', options }];
  await guest.agent.createContainer({ containerId: 'service', execId: 'service', OCI, devices });
  await guest.agent.startContainer({ containerId: 'service' });
}

describe('the agent as a service, in front of another', () => {
  test('of the image, gives a container its device and its address through the agent behind it', async () => {
    await useService(['/usr/bin/node', '/usr/lib/kata-mock/agent/main.js']);
  });

  test('of a guest extension, does the same', async ({ skip }) => {
    if (unavailable) skip(unavailable);
    await useService(await mountExtension());
  });
});

async function useService(program: string[]): Promise<void> {
  await startService(program);
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
}
