import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { CreateContainerRequestSchema } from '@kata-mock/contracts';
import { Code, type TtrpcError } from 'ttrpc-ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AgentGuest, SHARED } from '../support/agent-guest.ts';
import { createSandbox, onGuest, run, sharedRoot, spec } from './containers.ts';
import { good, hostileRequests } from './hostile-requests.ts';

let guest: AgentGuest;
/** Counts of a guest in which nothing bad was asked for yet. */
let untouched: string;
beforeAll(async () => {
  guest = await AgentGuest.boot({ devices: 2 });
  await createSandbox(guest);
  sharedRoot(guest);
  mkdirSync(path.join(guest.share, 'evil'));
  symlinkSync('/etc', path.join(guest.share, 'evil/link'));
  writeFileSync(path.join(guest.share, 'evil/file'), '');
  await guest.agent.createContainer({
    containerId: 'busy',
    execId: 'busy',
    OCI: spec(['sleep', '1000'], { Linux: { CgroupsPath: '/busy' } as never }),
  });
  // The first container brings what stays: file systems that are loaded, caches.
  await run(guest, 'first', good);
  await startLooking();
  untouched = await look();
});
afterAll(() => guest?.stop());

describe('a request nobody honest sends', () => {
  test.each(hostileRequests)('%s is refused and changes nothing', async (_, change, code, message) => {
    const refusal = await guest.agent
      .createContainer({ containerId: 'victim', execId: 'victim', OCI: good, ...change })
      .then(
        // So that only this test fails for it.
        () => guest.agent.removeContainer({ containerId: 'victim' }),
        (error: TtrpcError) => error,
      );
    expect(refusal).toMatchObject({ code, message: expect.stringContaining(message) });
    expect(await look()).toBe(untouched);
  });

  const broken = toBinary(CreateContainerRequestSchema, create(CreateContainerRequestSchema, { containerId: 'CID' }));
  const named = (id: number[]) => Buffer.concat([broken.subarray(0, 2), Buffer.from(id)]);
  test.each([
    ['an id that is no UTF-8', named([0xff, 0x41, 0x42])],
    ['an id with half a surrogate', named([0xed, 0xa0, 0x80])],
    ['an id that ends before its length', named([0x41])],
    ['a message that ends in its midst', Buffer.from([0x32, 0xff, 0xff, 0x03])],
    ['a field of another kind', Buffer.from([0x08, 0x01])],
  ])('%s is INVALID_ARGUMENT, as bytes', async (_, bytes) => {
    await expect(guest.connection.raw('grpc.AgentService', 'CreateContainer', bytes)).rejects.toMatchObject({
      code: Code.INVALID_ARGUMENT,
    });
    expect(await look()).toBe(untouched);
  });

  test('after all of them a good container still runs', async () => {
    expect(await run(guest, 'good', spec(['sh', '-c', 'echo fine; exit 3']))).toEqual({
      status: 3,
      stdout: 'fine\n',
      stderr: '',
    });
  });

  test.each([
    ['startContainer', { containerId: 'nobody' }, Code.NOT_FOUND],
    ['removeContainer', { containerId: '../x' }, Code.NOT_FOUND],
    ['waitProcess', { containerId: 'nobody' }, Code.NOT_FOUND],
    ['signalProcess', { containerId: 'nobody', signal: 9 }, Code.NOT_FOUND],
    ['execProcess', { containerId: 'nobody', execId: 'e' }, Code.NOT_FOUND],
    ['execProcess', { containerId: 'nobody', execId: '../e' }, Code.INVALID_ARGUMENT],
    ['copyFile', { path: '/etc/passwd', fileSize: 1n, data: Buffer.from('x') }, Code.INVALID_ARGUMENT],
    ['copyFile', { path: `${SHARED}/evil/link/passwd`, fileSize: 1n, data: Buffer.from('x') }, Code.INVALID_ARGUMENT],
    ['copyFile', { path: `${SHARED}/f`, fileSize: 9n, offset: 5n, data: Buffer.from('x') }, Code.INVALID_ARGUMENT],
    ['copyFile', { path: `${SHARED}/f`, fileMode: 0o020644 }, Code.INVALID_ARGUMENT],
    ['copyFile', { path: `${SHARED}/f`, fileSize: 1n, offset: 5n, data: Buffer.from('x') }, Code.INVALID_ARGUMENT],
    ['updateInterface', { interface: { name: 'a b', hwAddr: 'zz' } }, Code.INVALID_ARGUMENT],
    ['updateRoutes', { routes: { Routes: [{ dest: '10.0.0.0/8; reboot' }] } }, Code.INVALID_ARGUMENT],
    ['getVolumeStats', { volumeGuestPath: '/etc' }, Code.INVALID_ARGUMENT],
    ['getVolumeStats', { volumeGuestPath: `${SHARED}/evil/link` }, Code.INVALID_ARGUMENT],
    ['resizeVolume', { volumeGuestPath: SHARED }, Code.UNIMPLEMENTED],
    ['resizeVolume', { volumeGuestPath: `${SHARED}/root` }, Code.NOT_FOUND],
    ['updateContainer', { containerId: 'busy' }, Code.INVALID_ARGUMENT],
    ['signalProcess', { containerId: 'busy', signal: 65 }, Code.INVALID_ARGUMENT],
    ['updateEphemeralMounts', { storages: [{ driver: 'local' }] }, Code.INVALID_ARGUMENT],
    ['addSwapPath', { path: '/etc/passwd' }, Code.INVALID_ARGUMENT],
    ['getDiagnosticData', { logType: 'termination_log', containerId: 'busy' }, Code.FAILED_PRECONDITION],
    ['getDiagnosticData', { logType: '../x', containerId: 'busy' }, Code.INVALID_ARGUMENT],
    ['memAgentCompactSet', {}, Code.UNIMPLEMENTED],
    ['createSandbox', { sandboxId: 'again' }, Code.ALREADY_EXISTS],
    ['setPolicy', { policy: 'x' }, Code.UNIMPLEMENTED],
    ['memAgentMemcgSet', {}, Code.UNIMPLEMENTED],
  ] as [string, object, Code][])('%s with what makes no sense is refused (%#)', async (method, request, code) => {
    const client = guest.agent as unknown as Record<string, (message: object) => Promise<object>>;
    await expect((client[method] as (message: object) => Promise<object>)(request)).rejects.toMatchObject({ code });
  });
});

/** Mounts, cgroups, bundles and descriptors of the guest. */
const LEFTOVERS = [
  'wc -l < /guest/proc/1/mountinfo',
  'find /guest/sys/fs/cgroup -type d | wc -l',
  'ls -A /guest/run/kata-mock-agent/bundles | wc -l',
  'ls /guest/run/kata-mock-agent/runc | wc -l',
  'ls /guest/proc/1/fd | wc -l',
].join('; ');

/** One container counts at each line it gets: making one for every look would take minutes. */
async function startLooking(): Promise<void> {
  const OCI = onGuest(spec(['sh', '-c', `while read line; do echo $(${LEFTOVERS}); done`]));
  await guest.agent.createContainer({ containerId: 'looks', execId: 'looks', OCI });
  await guest.agent.startContainer({ containerId: 'looks' });
}

async function look(): Promise<string> {
  await guest.agent.writeStdin({ containerId: 'looks', data: Buffer.from('\n') });
  let text = '';
  while (!text.endsWith('\n')) {
    const { data } = await guest.agent.readStdout({ containerId: 'looks', len: 100 });
    text += Buffer.from(data).toString();
  }
  return text;
}
