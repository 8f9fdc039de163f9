import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { CreateContainerRequestSchema } from '@kata-mock/contracts';
import { Code, type TtrpcError } from 'ttrpc-ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AgentGuest, SHARED } from '../support/agent-guest.ts';
import { createSandbox, onGuest, run, type SpecInit, sharedRoot, spec } from './containers.ts';

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
  [
    'a device with 2,000 options',
    { devices: [{ type: 'mock-accel', id: '1', containerPath: '/dev/x', options: Array(2000).fill('a=b') }] },
    Code.INVALID_ARGUMENT,
    '2000 options',
  ],
  ['2,000 storages', { storages: Array(2000).fill({ driver: 'local' }) }, Code.INVALID_ARGUMENT, '2000 storages'],
  [
    '5,000 mounts',
    { OCI: { ...good, Mounts: Array(5000).fill({ destination: '/x', type: 'tmpfs', source: 'x' }) } },
    Code.INVALID_ARGUMENT,
    '5000 mounts',
  ],
  [
    '9,000 device rules',
    { OCI: withLinux({ Resources: { Devices: Array(9000).fill({ Allow: true, Access: 'r' }) } }) },
    Code.INVALID_ARGUMENT,
    '9000 rules',
  ],
  [
    '5,000 annotations',
    { OCI: { ...good, Annotations: Object.fromEntries(Array.from({ length: 5000 }, (_, key) => [`a${key}`, ''])) } },
    Code.INVALID_ARGUMENT,
    '5000 annotations',
  ],
  ['a relative root', { OCI: { ...good, Root: { Path: 'x' } } }, Code.INVALID_ARGUMENT, 'invalid root path "x"'],
  ['a root with ..', { OCI: { ...good, Root: { Path: '/run/../etc' } } }, Code.INVALID_ARGUMENT, 'invalid root path'],
  ['a root of the guest', { OCI: { ...good, Root: { Path: '/etc' } } }, Code.INVALID_ARGUMENT, 'invalid root path'],
  [
    'a root that is a link to the guest',
    { OCI: { ...good, Root: { Path: `${SHARED}/evil/link` } } },
    Code.INVALID_ARGUMENT,
    'is a link or no directory',
  ],
  [
    'a root that is a file',
    { OCI: { ...good, Root: { Path: `${SHARED}/evil/file` } } },
    Code.INVALID_ARGUMENT,
    'no dir',
  ],
  ['a root that is not there', { OCI: { ...good, Root: { Path: `${SHARED}/x` } } }, Code.NOT_FOUND, 'does not exist'],
  ['a cgroup that climbs out', { OCI: withLinux({ CgroupsPath: '/../../x' }) }, Code.INVALID_ARGUMENT, 'cgroups path'],
  ['the cgroup of another', { OCI: withLinux({ CgroupsPath: '/busy' }) }, Code.INVALID_ARGUMENT, 'processes in it'],
  ['the cgroup of all', { OCI: withLinux({ CgroupsPath: '/' }) }, Code.INVALID_ARGUMENT, 'processes in it'],
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
    'a bind of what a link leads to',
    storage(`${SHARED}/x`, { driver: 'bind', source: `${SHARED}/evil/link` }),
    Code.INVALID_ARGUMENT,
    'is a link or no directory',
  ],
  [
    'an overlay whose upper directory is in its lower one',
    storage(`${SHARED}/x`, {
      driver: 'overlayfs',
      options: [`lowerdir=${SHARED}/root`, `upperdir=${SHARED}/root/up`, `workdir=${SHARED}/work`],
    }),
    Code.INVALID_ARGUMENT,
    'one contains the other',
  ],
  [
    'an overlay on its own layer',
    storage(`${SHARED}/root`, { driver: 'overlayfs', options: [`lowerdir=${SHARED}/root`] }),
    Code.INVALID_ARGUMENT,
    'one contains the other',
  ],
  [
    'a watched directory with a link out of it',
    storage(`${SHARED}/x`, { driver: 'watchable-bind', source: `${SHARED}/evil` }),
    Code.INVALID_ARGUMENT,
    'a link out of its directory',
  ],
  [
    'a block device that is none',
    storage(`${SHARED}/x`, { driver: 'mmioblk', source: '/dev/null', fstype: 'ext4' }),
    Code.INTERNAL,
    'mount',
  ],
  [
    'a disk at no PCI path',
    storage(`${SHARED}/x`, { driver: 'blk', source: '1f/1f/1f', fstype: 'ext4' }),
    Code.NOT_FOUND,
    'no PCI device at "1f/1f/1f"',
  ],
  [
    'a second storage that fails',
    {
      storages: [
        { driver: 'ephemeral', source: 'tmpfs', fstype: 'tmpfs', mountPoint: '/run/kata-containers/sandbox/first' },
        { driver: 'ephemeral', source: 'x', fstype: 'ext4', mountPoint: '/run/kata-containers/sandbox/second' },
      ],
    },
    Code.INVALID_ARGUMENT,
    'expected tmpfs or hugetlbfs',
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
    'two devices at one place',
    {
      OCI: mocked(1),
      devices: ['a0/00/00', '11/00'].map((where, index) => ({
        type: 'mock-accel',
        id: '1',
        containerPath: '/dev/x0',
        options: [`0000:1${index}:00.0=${where}`],
      })),
    },
    Code.INVALID_ARGUMENT,
    'Conflicting device updates for /dev/x0',
  ],
  [
    'two devices with the same numbers of the host',
    {
      OCI: mocked(2),
      devices: ['a0/00/00', '11/00'].map((where, index) => ({
        type: 'mock-accel',
        id: '1',
        containerPath: `/dev/x${index}`,
        options: [`0000:1${index}:00.0=${where}`],
      })),
    },
    Code.INVALID_ARGUMENT,
    'Conflicting resource updates for host_major=0 host_minor=0',
  ],
  [
    'a function for VFIO in a guest without IOMMU',
    { devices: [{ type: 'vfio-pci', id: '1', containerPath: '/dev/x', options: ['0000:1a:00.0=11/00'] }] },
    Code.INVALID_ARGUMENT,
    'has no IOMMU group',
  ],
  [
    'a variable with an address that nobody mapped',
    { OCI: { ...good, Process: { Args: ['true'], Cwd: '/', Env: ['PCIDEVICE_X=0000:77:00.0'] } } },
    Code.INVALID_ARGUMENT,
    '0000:77:00.0',
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
    'a mount of what is not there',
    {
      OCI: { ...good, Mounts: [{ destination: '/x', type: 'bind', source: `${SHARED}/nothing`, options: ['rbind'] }] },
    },
    Code.INTERNAL,
    `${SHARED}/nothing`,
  ],
  [
    'a hook that fails',
    { OCI: { ...good, Hooks: { CreateRuntime: [{ Path: '/usr/bin/busybox', Args: ['false'] }] } } },
    Code.INTERNAL,
    'hook',
  ],
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
  'ls -A /guest/run/kata-containers/.bundles | wc -l',
  'ls /guest/run/kata-containers/.runc | wc -l',
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
