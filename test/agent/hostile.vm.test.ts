import { mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { Code, type TtrpcError } from 'ttrpc-ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AgentGuest, SHARED } from '../support/agent-guest.ts';
import { createSandbox, inGuest, run, type SpecInit, sharedRoot, spec } from './containers.ts';

const good = spec(['true']);

let guest: AgentGuest;
/** Counts of a guest in which nothing bad was asked for yet. */
let untouched: string;
beforeAll(async () => {
  guest = await AgentGuest.boot({ devices: 2 });
  await createSandbox(guest);
  sharedRoot(guest);
  mkdirSync(path.join(guest.share, 'evil'));
  symlinkSync('/etc', path.join(guest.share, 'evil/link'));
  // The first container brings what stays: file systems that are loaded, caches.
  await run(guest, 'first', good);
  untouched = await inGuest(guest, 'before', LEFTOVERS);
});
afterAll(() => guest?.stop());

const storage = (mountPoint: string, more: object = {}) => ({ storages: [{ driver: 'local', mountPoint, ...more }] });
const withLinux = (Linux: object): SpecInit => spec(['true'], { Linux: Linux as never });
const mocked = (count: number) =>
  withLinux({ Devices: Array.from({ length: count }, (_, index) => ({ Path: `/dev/x${index}`, Type: 'c' })) });

/** What nobody honest sends, the code it gets, and what the message must name. */
const requests: [string, object, Code, string][] = [
  ['a container id with ..', { containerId: '../../etc' }, Code.INVALID_ARGUMENT, '"../../etc"'],
  ['a container id with a slash', { containerId: 'a/b' }, Code.INVALID_ARGUMENT, '"a/b"'],
  ['an empty container id', { containerId: '' }, Code.INVALID_ARGUMENT, 'invalid container id ""'],
  [
    'a container id of 10,000 characters',
    { containerId: 'a'.repeat(10_000) },
    Code.INVALID_ARGUMENT,
    'invalid container id',
  ],
  ['a container id with NUL', { containerId: 'a\0b' }, Code.INVALID_ARGUMENT, 'invalid container id'],
  ['an exec id with ..', { execId: '..' }, Code.INVALID_ARGUMENT, 'invalid exec id ".."'],
  ['no spec', { OCI: undefined }, Code.INVALID_ARGUMENT, 'without an OCI spec'],
  ['2,000 devices', { OCI: mocked(2000) }, Code.INVALID_ARGUMENT, '2000 devices'],
  [
    '100,000 variables',
    { OCI: { ...good, Process: { Args: ['true'], Cwd: '/', Env: Array(100_000).fill('A=1') } } },
    Code.INVALID_ARGUMENT,
    '100000 env',
  ],
  ['a relative root', { OCI: { ...good, Root: { Path: 'x' } } }, Code.INVALID_ARGUMENT, 'invalid root path "x"'],
  ['a root with ..', { OCI: { ...good, Root: { Path: '/run/../etc' } } }, Code.INVALID_ARGUMENT, 'invalid root path'],
  ['a storage outside the base', storage('/etc/x'), Code.INVALID_ARGUMENT, 'mount point "/etc/x"'],
  ['a storage that climbs out', storage('/run/kata-containers/../../etc'), Code.INVALID_ARGUMENT, 'mount point'],
  ['a storage behind a link', storage(`${SHARED}/evil/link/x`), Code.INVALID_ARGUMENT, 'is a link or no directory'],
  ['an unknown storage driver', storage(`${SHARED}/x`, { driver: 'floppy' }), Code.INVALID_ARGUMENT, '"floppy"'],
  [
    'a bind of a directory on its child',
    storage(`${SHARED}/root/bin`, { driver: 'bind', source: `${SHARED}/root` }),
    Code.INVALID_ARGUMENT,
    'one contains the other',
  ],
  [
    'a bind of the guest itself',
    storage(`${SHARED}/x`, { driver: 'bind', source: '/etc' }),
    Code.INVALID_ARGUMENT,
    'bind source "/etc"',
  ],
  [
    'an unknown device type',
    { devices: [{ type: 'gpu', id: '1', containerPath: '/dev/x' }] },
    Code.INVALID_ARGUMENT,
    'Failed to find the device handler "gpu"',
  ],
  [
    'an option without =',
    { devices: [{ type: 'mock-accel', id: '1', containerPath: '/dev/x', options: ['0000:1a:00.0'] }] },
    Code.INVALID_ARGUMENT,
    'Malformed VFIO PCI option',
  ],
  [
    'a device the spec lacks',
    { devices: [{ type: 'mock-accel', id: '1', containerPath: '/dev/x', options: ['0000:1a:00.0=a0/00/00'] }] },
    Code.INVALID_ARGUMENT,
    'Missing devices in OCI spec: /dev/x',
  ],
  [
    'one host device at two places',
    {
      devices: ['a0/00/00', '11/00'].map((where, index) => ({
        type: 'vfio-pci-gk',
        id: '1',
        containerPath: `/dev/x${index}`,
        options: [`0000:1a:00.0=${where}`],
      })),
    },
    Code.INVALID_ARGUMENT,
    'Conflicting guest address for host device 0000:1a:00.0',
  ],
  [
    'a CDI device that does not exist',
    { OCI: { ...good, Annotations: { 'cdi.k8s.io/x': 'kata-mock.dev/accel=9' } } },
    Code.NOT_FOUND,
    'there are: all, 0,',
  ],
  [
    'a CDI annotation that is none',
    { OCI: { ...good, Annotations: { 'cdi.k8s.io/x': '///' } } },
    Code.INVALID_ARGUMENT,
    'bad CDI annotation',
  ],
  ['a program that is not there', { OCI: spec(['/nonexistent']) }, Code.INTERNAL, '/nonexistent'],
  [
    'a namespace that is not there',
    { OCI: withLinux({ Namespaces: [{ Type: 'ipc', Path: '/proc/1/ns/nothing' }] }) },
    Code.INTERNAL,
    'runc create',
  ],
];

describe('a request nobody honest sends', () => {
  test.each(requests)('%s is refused and changes nothing', async (_, change, code, message) => {
    const refusal = await guest.agent
      .createContainer({ containerId: 'victim', execId: 'victim', OCI: good, ...change })
      .then(
        () => undefined,
        (error: TtrpcError) => error,
      );
    expect(refusal).toMatchObject({ code, message: expect.stringContaining(message) });
    expect(await inGuest(guest, 'before', LEFTOVERS)).toBe(untouched);
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
    ['copyFile', { path: `${SHARED}/f`, fileSize: 1n, offset: 5n, data: Buffer.from('x') }, Code.INVALID_ARGUMENT],
    ['updateInterface', { interface: { name: 'a b', hwAddr: 'zz' } }, Code.INVALID_ARGUMENT],
    ['updateRoutes', { routes: { Routes: [{ dest: '10.0.0.0/8; reboot' }] } }, Code.INVALID_ARGUMENT],
    ['getVolumeStats', { volumeGuestPath: '/etc' }, Code.INVALID_ARGUMENT],
    ['createSandbox', { sandboxId: 'again' }, Code.ALREADY_EXISTS],
    ['setPolicy', { policy: 'x' }, Code.UNIMPLEMENTED],
    ['memAgentMemcgSet', {}, Code.UNIMPLEMENTED],
  ] as [string, object, Code][])('%s with what makes no sense is refused (%#)', async (method, request, code) => {
    const client = guest.agent as unknown as Record<string, (message: object) => Promise<object>>;
    await expect((client[method] as (message: object) => Promise<object>)(request)).rejects.toMatchObject({ code });
  });
});

/** Mounts, cgroups, bundles and processes of the guest, without the container that looks. */
const LEFTOVERS = [
  'grep -v /before /guest/proc/1/mountinfo | wc -l',
  'find /guest/sys/fs/cgroup -type d | grep -v before | wc -l',
  'ls /guest/run/kata-containers/.bundles | grep -v before | wc -l',
  'ls /guest/run/kata-containers/.runc | grep -v before | wc -l',
  'ls /guest/proc/1/fd | wc -l',
].join('; ');
