import path from 'node:path';
import { FSGroupChangePolicy } from '@kata-mock/contracts';
import type { TtrpcError } from 'ttrpc-ts';
import { Code } from 'ttrpc-ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AgentGuest } from '../support/agent-guest.ts';
import { qmp } from '../support/qmp.ts';
import { createSandbox, inGuest, run, type SpecInit, sharedRoot, spec } from './containers.ts';
import { Disks, drive } from './disks.ts';

const VOLUMES = '/run/kata-containers/sandbox/storage';
const KMSG = 'Mock Accelerator Device';

let disks: Disks;
let guest: AgentGuest;
beforeAll(async () => {
  disks = new Disks();
  // An IOMMU, a disk behind a root port, two behind a bridge as Kata plugs them, one of SCSI, one that comes later.
  const qemu = [
    ...['-device', 'intel-iommu,caching-mode=on', '-qmp', `unix:${socket()},server=on,wait=off`],
    ...['-device', 'pcie-root-port,id=rpdisk,bus=pcie.0,addr=0x18,chassis=90'],
    ...[
      ...drive('port', disks.marked('port', 'behind a root port\n')),
      '-device',
      'virtio-blk-pci,drive=port,bus=rpdisk',
    ],
    ...['-device', 'pci-bridge,id=bridge,bus=pcie.0,addr=0x19,chassis_nr=9,shpc=off'],
    ...[...drive('volume', disks.halfUsed('volume')), '-device', 'virtio-blk-pci,drive=volume,bus=bridge,addr=3'],
    ...[...drive('swap', disks.swap('swap')), '-device', 'virtio-blk-pci,drive=swap,bus=bridge,addr=4'],
    ...[...drive('more', disks.swap('more')), '-device', 'virtio-blk-pci,drive=more,bus=bridge,addr=5'],
    ...['-device', 'virtio-scsi-pci,id=scsi0,bus=pcie.0,addr=0x1a'],
    ...[...drive('scsi', disks.marked('scsi', 'by SCSI address\n')), '-device', 'scsi-hd,drive=scsi,scsi-id=0,lun=5'],
    ...['-device', 'pci-bridge,id=pair,bus=pcie.0,addr=0x1b,chassis_nr=10,shpc=off'],
    ...['-device', 'pci-testdev,bus=pair,addr=4', '-device', 'pci-testdev,bus=pair,addr=5'],
    ...[...drive('late', disks.marked('late', 'plugged later\n'))],
    ...['-device', 'pcie-root-port,id=rplate,bus=pcie.0,addr=0x1c,chassis=91'],
  ];
  const kernel = ['intel_iommu=on', 'scsi_mod.scan=none', 'agent.hotplug_timeout=10'];
  guest = await AgentGuest.boot({ devices: 2, qemu, kernel });
  await createSandbox(guest);
  sharedRoot(guest);
});
afterAll(async () => {
  await guest?.stop();
  disks?.remove();
});

const socket = () => path.join(disks.folder, 'qmp.sock');

/** A container with entries of `linux.devices` as a host writes them, whose numbers are the host's. */
function withDevices(script: string, devices: { path: string; type: 'b' | 'c' }[], env: string[] = []): SpecInit {
  const Devices = devices.map(({ path: Path, type: Type }, index) => ({
    Path,
    Type,
    Major: 250n,
    Minor: BigInt(index),
  }));
  const OCI = spec(['sh', '-c', script], { Linux: { Devices } as never });
  return { ...OCI, Process: { ...OCI.Process, Env: ['PATH=/bin', ...env] } as never };
}

describe('disks', () => {
  test('a virtio disk behind a root port is the asked node of its container, and of no other', async () => {
    const look = 'head -c 19 /dev/xvda; stat -c %t:%T /dev/xvda; ls /dev/vd* 2>/dev/null';
    const devices = [{ type: 'blk', id: '18/00', containerPath: '/dev/xvda' }];
    const seen = await run(guest, 'port', withDevices(look, [{ path: '/dev/xvda', type: 'b' }]), { devices });
    const [text, numbers] = seen.stdout.split('\n');
    expect(text).toBe('behind a root port');
    const [major, minor] = (numbers ?? '').split(':').map((hex) => Number.parseInt(hex, 16));
    const sysfs = `readlink /guest/sys/dev/block/${major}:${minor}`;
    expect(await inGuest(guest, 'look', sysfs)).toContain('/0000:00:18.0/');
    // Neither by name nor by number.
    const other = `ls /dev/xvda; mknod /tmp/d b ${major} ${minor} && head -c 1 /tmp/d`;
    const refused = await run(guest, 'other', spec(['sh', '-c', other]));
    expect(refused).toMatchObject({ stdout: '', stderr: expect.stringContaining('Operation not permitted') });
  });

  test('a file system on a disk behind a bridge is a volume that keeps its files from container to container', async () => {
    const mountPoint = `${VOLUMES}/kept`;
    const fsGroup = { groupId: 4321, groupChangePolicy: FSGroupChangePolicy.OnRootMismatch };
    const storages = [{ driver: 'blk', source: '19/03', fstype: 'ext4', mountPoint, fsGroup }];
    const mounted = (script: string) => {
      const OCI = spec(['sh', '-c', script]);
      OCI.Mounts = [...(OCI.Mounts ?? []), { destination: '/v', source: mountPoint, type: 'bind', options: ['rbind'] }];
      return OCI;
    };
    expect(await run(guest, 'writer', mounted('echo kept >/v/file'), { storages })).toMatchObject({ status: 0 });
    expect(await inGuest(guest, 'between', `grep -c ${mountPoint} /guest/proc/1/mountinfo`)).toBe('0\n');
    const read = 'cat /v/file; stat -c "%g %a" /v /v/file';
    // The file came with the group of its directory, whose set-group-ID bit says so.
    expect((await run(guest, 'reader', mounted(read), { storages })).stdout).toBe('kept\n4321 2775\n4321 644\n');
  });

  test('a disk by the node a shim names (mmioblk) has the numbers of that node', async () => {
    const devices = [{ type: 'mmioblk', vmPath: '/dev/vda', containerPath: '/dev/xvdb' }];
    const OCI = withDevices('stat -c %t:%T /dev/xvdb', [{ path: '/dev/xvdb', type: 'b' }]);
    const { stdout } = await run(guest, 'mmio', OCI, { devices });
    expect(stdout).toBe(await inGuest(guest, 'look', 'stat -c %t:%T /guest/dev/vda'));
  });

  test('a disk by SCSI address is looked for on the controller, though nobody scanned it', async () => {
    expect(await inGuest(guest, 'look', 'ls -d /guest/sys/block/sd* 2>/dev/null')).toBe('');
    const devices = [{ type: 'scsi', id: '0:5', containerPath: '/dev/disk' }];
    const OCI = withDevices('head -c 16 /dev/disk', [{ path: '/dev/disk', type: 'b' }]);
    expect(await run(guest, 'scsi', OCI, { devices })).toMatchObject({ stdout: 'by SCSI address\n' });
  });

  test('a disk that is plugged while its container is made is waited for', async () => {
    const devices = [{ type: 'blk', id: '1c/00', containerPath: '/dev/late' }];
    const OCI = withDevices('head -c 14 /dev/late', [{ path: '/dev/late', type: 'b' }]);
    const ran = run(guest, 'late', OCI, { devices });
    await qmp(socket(), 'device_add', { driver: 'virtio-blk-pci', drive: 'late', bus: 'rplate', id: 'late' });
    expect(await ran).toMatchObject({ stdout: 'plugged later\n' });
  });

  test('a volume grows with its device, never beyond it and never back', async () => {
    const mountPoint = `${VOLUMES}/grows`;
    const storages = [{ driver: 'blk', source: '19/03', fstype: 'ext4', mountPoint, shared: true }];
    await run(guest, 'first', spec(['true']), { storages });
    const { agent } = guest;
    const total = async () => Number((await agent.getVolumeStats({ volumeGuestPath: mountPoint })).usage[0]?.total);
    const before = await total();
    const resize = (size: bigint) => agent.resizeVolume({ volumeGuestPath: mountPoint, size });
    await expect(resize(1n << 40n)).rejects.toMatchObject({ code: Code.FAILED_PRECONDITION });
    await expect(resize(1n << 20n)).rejects.toMatchObject({ code: Code.INVALID_ARGUMENT });
    expect(await total()).toBe(before);
    await resize(0n);
    expect(await total()).toBeGreaterThan(1.8 * before);
  });

  test('swap goes to a disk by its PCI path, and by its node', async () => {
    const swaps = async () => (await inGuest(guest, 'swaps', 'tail -n +2 /guest/proc/swaps')).trim().split('\n');
    await guest.agent.addSwap({ PCIPath: [0x19, 4] });
    const [first] = await swaps();
    expect(first).toMatch(/^\/dev\/vd\w\s+partition\s+4092\s/);
    const address = '/guest/sys/bus/pci/devices/*/virtio*/block/';
    const node = (
      await inGuest(guest, 'look', `ls -d ${address}* | while read f; do readlink -f $f; done | grep 19.0/.*:05.0`)
    )
      .trim()
      .split('/')
      .at(-1);
    await guest.agent.addSwapPath({ path: `/dev/${node}` });
    expect(await swaps()).toHaveLength(2);
    for (const path of ['/dev/null', '/dev/../dev/vda', '-a', '/etc/passwd'])
      await expect(guest.agent.addSwapPath({ path })).rejects.toMatchObject({ code: Code.INVALID_ARGUMENT });
    await expect(guest.agent.addSwap({ PCIPath: [32] })).rejects.toMatchObject({ code: Code.INVALID_ARGUMENT });
  });
});

describe('functions that a container drives itself', () => {
  const option = () => `${guest.inventory[1]?.hostAddress}=${guest.inventory[1]?.deviceTreePath}`;
  const driver = async () =>
    path.basename(
      (await inGuest(guest, 'look', 'readlink /guest/sys/bus/pci/devices/0000:00:11.0/0000:??:00.0/driver')).trim(),
    );

  test('with the guest’s driver (vfio-pci-gk) have their address in the environment, and no node', async () => {
    const devices = [{ type: 'vfio-pci-gk', id: '1', containerPath: '/dev/vfio/7', options: [option()] }];
    const OCI = withDevices(
      'echo $PCIDEVICE_X; ls -d /dev/vfio',
      [],
      [`PCIDEVICE_X=${guest.inventory[1]?.hostAddress}`],
    );
    const { stdout } = await run(guest, 'gk', OCI, { devices });
    expect(stdout).toMatch(/^0000:[0-9a-f]{2}:00\.0\n$/);
    expect(await driver()).toBe('mock-accel');
  });

  test('give their drivers back when the container comes to nothing', async () => {
    const devices = [{ type: 'vfio-pci', id: '1', containerPath: '/dev/vfio/7', options: [option()] }];
    const OCI = withDevices('true', [{ path: '/dev/vfio/7', type: 'c' }]);
    const storages = [{ driver: 'blk', source: '19/03', fstype: 'iso9660', mountPoint: `${VOLUMES}/x` }];
    await expect(run(guest, 'failed', OCI, { devices, storages })).rejects.toMatchObject({ code: Code.INTERNAL });
    expect(await driver()).toBe('mock-accel');
    const Annotations = { 'cdi.k8s.io/x': 'kata-mock.dev/accel=1' };
    expect((await run(guest, 'mock', spec(['cat', '/dev/mock1'], { Annotations }))).stdout).toContain(KMSG);
  });

  test('are bound to vfio-pci, and the container gets the node of their IOMMU group', async () => {
    const devices = [{ type: 'vfio-pci', id: '1', containerPath: '/dev/vfio/7', options: [option()] }];
    const look = 'cd /dev/vfio; echo $PCIDEVICE_X; ls; stat -c %t:%T *; : <$(ls) && echo opened';
    const env = [`PCIDEVICE_X=${guest.inventory[1]?.hostAddress}`];
    const ran = await run(guest, 'vfio', withDevices(look, [{ path: '/dev/vfio/7', type: 'c' }], env), { devices });
    const [address, group, numbers, opened] = ran.stdout.trim().split('\n');
    expect(ran.stderr).toBe('');
    expect(opened).toBe('opened');
    const sysfs = `/guest/sys/bus/pci/devices/${address}`;
    const inSysfs = `basename $(readlink ${sysfs}/iommu_group); basename $(readlink ${sysfs}/driver)`;
    const facts = await inGuest(guest, 'look', `${inSysfs}; stat -c %t:%T /guest/dev/vfio/${group}`);
    expect(facts.trim().split('\n')).toEqual([group, 'vfio-pci', numbers]);
    // The mock driver has lost it, so nobody gets it as an accelerator. Nobody asked for its name since: only the kernel's
    // event can have told the agent.
    const names = await inGuest(guest, 'names', 'cat /guest/run/cdi/kata-mock.json');
    expect(names).toContain(guest.inventory[0]?.uuid);
    expect(names).not.toContain(guest.inventory[1]?.uuid);
    const Annotations = { 'cdi.k8s.io/x': 'kata-mock.dev/accel=1' };
    await expect(run(guest, 'gone', spec(['true'], { Annotations }))).rejects.toMatchObject({ code: Code.NOT_FOUND });
  });

  test('of one group come together; those of two groups are refused by name', async () => {
    const pair = (...paths: string[]) =>
      run(guest, 'pair', withDevices('ls /dev/vfio', [{ path: '/dev/vfio/7', type: 'c' }]), {
        devices: [
          {
            type: 'vfio-pci',
            id: '1',
            containerPath: '/dev/vfio/7',
            options: paths.map((where, index) => `0000:3${index}:00.0=${where}`),
          },
        ],
      });
    expect((await pair('1b/04', '1b/05')).stdout).toMatch(/^\d+\n$/);
    const error = (await pair('1b/04', '11/00').catch((refusal: unknown) => refusal)) as TtrpcError;
    expect(error).toMatchObject({
      code: Code.INVALID_ARGUMENT,
      message: expect.stringContaining('is not in guest IOMMU group'),
    });
  });
});
