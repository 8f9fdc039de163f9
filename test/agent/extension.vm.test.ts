import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildExtension } from '@kata-mock/agent-ext';
import { AgentService, Health } from '@kata-mock/contracts';
import { parse } from 'smol-toml';
import { createClient } from 'ttrpc-ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AgentGuest } from '../support/agent-guest.ts';
import { artefacts } from '../support/artefacts.ts';
import { root } from '../support/paths.ts';
import { createSandbox, inGuest, readAll, readingMock1, run, sharedRoot } from './containers.ts';
import { inFirstNamespace } from './guest-programs.ts';
import { RELAY_PORT, vsockConnection } from './vsock-relay.ts';

/** Where a Kata 4 guest mounts an extension, by the name in the shim's configuration. */
const MOUNTED = '/run/kata-extensions/kata-mock';
const AGENT_PORT = 1024;

let folder: string;
let guest: AgentGuest | undefined;
/** Why no extension can be built here: Debian's Node is in pieces. */
let unavailable: string | undefined;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'km-extension-'));
  const image = path.join(folder, 'kata-mock.img');
  try {
    build(image);
  } catch (error) {
    unavailable = (error as Error).message;
    return;
  }
  // The guest's own agent plays kata-agent, where the manifest wants it; nobody has loaded the driver yet.
  const kernel = ['agent.server_addr=unix:///run/kata-agent.sock', 'modprobe.blacklist=mock_accel'];
  guest = await AgentGuest.boot({ devices: 2, ports: [RELAY_PORT], disks: [image], kernel });
  await createSandbox(guest, { kernelModules: [{ name: 'vsock_loopback' }] });
  sharedRoot(guest);
});
afterAll(async () => {
  await guest?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** As docs/agent.md says, by this Node and the unpacked tools of set-up. */
function build(image: string): void {
  const { toolchain, driver, wordList } = artefacts();
  const inToolchain = (file: string) => path.join(toolchain, file);
  buildExtension(
    {
      node: process.execPath,
      agent: path.join(root, 'dist/agent'),
      module: driver,
      wordList,
      mkfs: [
        inToolchain('usr/lib64/ld-linux-x86-64.so.2'),
        ...['--library-path', inToolchain('usr/lib/x86_64-linux-gnu'), inToolchain('usr/bin/mkfs.erofs')],
      ],
    },
    image,
  );
}

interface Manifest {
  schema_version: number;
  process: { id: string; path: string; args: string[] }[];
}

/** What a Kata 4 guest does with the disk of an extension: its first partition, read-only, at a place of its own. */
async function mounted(inside: AgentGuest): Promise<Manifest> {
  const script = [
    'disk=$(grep -l extension-kata-mock /sys/block/*/serial)',
    'disk=/dev/$(basename $(dirname $disk))1',
    `busybox mkdir -p ${MOUNTED}`,
    `busybox mount -t erofs -o ro $disk ${MOUNTED}`,
    `cat ${MOUNTED}/etc/kata-extensions/components.toml`,
  ].join(' && ');
  const { status, stdout, stderr } = await run(inside, 'mounts', inFirstNamespace(inside, script));
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return parse(stdout) as unknown as Manifest;
}

describe('a guest extension', () => {
  test('brings driver and agent to a guest: its processes are started, and a container gets a device by vsock', async ({
    skip,
  }) => {
    if (!guest) return skip(unavailable);
    expect(await inGuest(guest, 'before', 'ls -d /guest/dev/mock* /guest/sys/module/mock_accel 2>/dev/null')).toBe('');
    const { schema_version, process: processes } = await mounted(guest);
    expect([schema_version, processes.map(({ id }) => id)]).toEqual([1, ['kata-mock-agent']]);
    const [{ path: program, args }] = processes as [Manifest['process'][0]];
    // The shell stays the first process: an agent that is one powers the machine off.
    const script = `${MOUNTED}/${program} ${args.join(' ')} & p=$!; trap 'kill $p' TERM; wait $p; wait $p`;
    await guest.agent.createContainer({
      containerId: 'launcher',
      execId: 'launcher',
      OCI: inFirstNamespace(guest, script),
    });
    await guest.agent.startContainer({ containerId: 'launcher' });

    const connection = await vsockConnection(guest, AGENT_PORT);
    await createClient(Health, connection).check({}, { timeoutMs: 90_000 });
    const outer = { agent: createClient(AgentService, connection) };
    expect(await inGuest(guest, 'after', 'cd /guest/dev && ls -d mock*; ls -d /guest/sys/module/mock_accel')).toBe(
      'mock0\nmock1\n/guest/sys/module/mock_accel\n',
    );
    const { agentDetails } = await outer.agent.getGuestDetails({});
    expect(agentDetails?.initDaemon).toBe(true);
    const ran = await run(outer, 'c1', ...readingMock1());
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    expect(ran.stdout).toMatch(/^0000:[0-9a-f]{2}:00\.0\n/);
    expect(ran.stdout).not.toContain('0000:1b:00.0');
    expect(ran.stdout).toContain(`UUID: ${guest.inventory[1]?.uuid}`);
    // The driver found its word list in the extension.
    expect(ran.stdout).toMatch(/Wordlist: 7776 words/);
    await connection.close();
    await guest.agent.signalProcess({ containerId: 'launcher', execId: 'launcher', signal: 15 });
    const log = (await readAll(guest, 'launcher', '', 'readStderr')).trim().split('\n');
    expect(log.filter((line) => !line.startsWith('{"level":30,'))).toEqual([]);
    expect((await guest.agent.waitProcess({ containerId: 'launcher' })).status).toBe(0);
  });
});
