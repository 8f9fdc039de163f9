import { Code } from 'ttrpc-ts';
import { SHARED } from '../support/agent-guest.ts';
import { type SpecInit, spec } from './containers.ts';

/** What stands in {@link SHARED} for these requests: `evil` with a file and a link to the guest's /etc; `/busy` is a cgroup. */
export const good = spec(['true']);

const storage = (mountPoint: string, more: object = {}) => ({ storages: [{ driver: 'local', mountPoint, ...more }] });
const withLinux = (Linux: object): SpecInit => spec(['true'], { Linux: Linux as never });
const mocked = (count: number) =>
  withLinux({ Devices: Array.from({ length: count }, (_, index) => ({ Path: `/dev/x${index}`, Type: 'c' })) });

/** What nobody honest sends, the code it gets, and what the message must name. */
export const hostileRequests: readonly (readonly [string, object, Code, string])[] = [
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
  ['2,000 devices', { OCI: mocked(2000) }, Code.INVALID_ARGUMENT, '2000 entries in OCI.Linux.Devices'],
  [
    '100,000 variables',
    { OCI: { ...good, Process: { Args: ['true'], Cwd: '/', Env: Array(100_000).fill('A=1') } } },
    Code.INVALID_ARGUMENT,
    '100000 entries in OCI.Process.Env',
  ],
  [
    'a device with 2,000 options',
    { devices: [{ type: 'mock-accel', id: '1', containerPath: '/dev/x', options: Array(2000).fill('a=b') }] },
    Code.INVALID_ARGUMENT,
    '2000 entries in devices[0].options',
  ],
  [
    '2,000 storages',
    { storages: Array(2000).fill({ driver: 'local' }) },
    Code.INVALID_ARGUMENT,
    '2000 entries in storages',
  ],
  [
    '5,000 mounts',
    { OCI: { ...good, Mounts: Array(5000).fill({ destination: '/x', type: 'tmpfs', source: 'x' }) } },
    Code.INVALID_ARGUMENT,
    '5000 entries in OCI.Mounts',
  ],
  [
    '9,000 device rules',
    { OCI: withLinux({ Resources: { Devices: Array(9000).fill({ Allow: true, Access: 'r' }) } }) },
    Code.INVALID_ARGUMENT,
    '9000 entries in OCI.Linux.Resources.Devices',
  ],
  [
    '5,000 annotations',
    { OCI: { ...good, Annotations: Object.fromEntries(Array.from({ length: 5000 }, (_, key) => [`a${key}`, ''])) } },
    Code.INVALID_ARGUMENT,
    '5000 entries in OCI.Annotations',
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
    'an overlay with a link as its layer',
    storage(`${SHARED}/x`, { driver: 'overlayfs', options: [`lowerdir=${SHARED}/evil/link:${SHARED}/root`] }),
    Code.INVALID_ARGUMENT,
    'is a link or no directory',
  ],
  [
    'an overlay with a link above its upper directory',
    storage(`${SHARED}/x`, {
      driver: 'overlayfs',
      options: [`lowerdir=${SHARED}/root`, `upperdir=${SHARED}/evil/link/u`, `workdir=${SHARED}/work`],
    }),
    Code.INVALID_ARGUMENT,
    'is a link or no directory',
  ],
  [
    'an overlay with a second list of layers after a comma',
    storage(`${SHARED}/x`, { driver: 'overlayfs', options: [`lowerdir=${SHARED}/root,lowerdir=/etc:${SHARED}/evil`] }),
    Code.INVALID_ARGUMENT,
    'no comma',
  ],
  [
    'an overlay with an upper directory after another option',
    storage(`${SHARED}/x`, {
      driver: 'overlayfs',
      options: [`lowerdir=${SHARED}/root`, 'index=off,upperdir=/etc,workdir=/tmp'],
    }),
    Code.INVALID_ARGUMENT,
    'no comma',
  ],
  [
    'an overlay with a second = in a layer',
    storage(`${SHARED}/x`, {
      driver: 'overlayfs',
      options: [`lowerdir=${SHARED}/x=/../../../../../etc:${SHARED}/root`],
    }),
    Code.INVALID_ARGUMENT,
    'expected a plain path',
  ],
  [
    'an overlay with an option nobody knows',
    storage(`${SHARED}/x`, { driver: 'overlayfs', options: [`lowerdir=${SHARED}/root`, 'datadir+=/etc'] }),
    Code.INVALID_ARGUMENT,
    'does not know it',
  ],
  [
    'an overlay as the file system of a disk',
    storage(`${SHARED}/x`, {
      driver: 'mmioblk',
      source: '/dev/vda',
      fstype: 'overlay',
      options: ['lowerdir=/etc:/usr'],
    }),
    Code.INVALID_ARGUMENT,
    'cannot mount a block device as "overlay"',
  ],
  [
    'memory for a group that is no number',
    storage(`${SHARED}/x`, { driver: 'ephemeral', fstype: 'tmpfs', options: ['fsgid=9999999999'] }),
    Code.INVALID_ARGUMENT,
    'invalid fsgid',
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
