import { afterAll, beforeAll, expect, it } from 'vitest';
import { BareGuest } from '../support/bare-guest/bare-guest.ts';
import { readU32, SET_STATUS, STATUS, u32 } from './ioctls.ts';

let guest: BareGuest;

beforeAll(async () => {
  // QEMU 11.1 aborts when a vfio-user device with MSI-X is unplugged, so this one has none.
  guest = await BareGuest.boot({ devices: [{ msix: false }], onClientGone: 'relisten' });
  expect(await guest.do.run(['modprobe', 'mock-accel'])).toMatchObject({ status: 0 });
});
afterAll(() => guest?.stop());

const present = (wanted: boolean) => expect.poll(() => guest.do.exists('/dev/mock0'), { timeout: 15_000 }).toBe(wanted);

it('follows QEMU unplugging the device under an open file and plugging it again', async () => {
  const fd = await guest.do.open('/dev/mock0', 'r+');
  await guest.do.ioctl(fd, SET_STATUS, u32(5));
  expect(readU32(await guest.do.ioctl(fd, STATUS, u32(0)))).toBe(5);

  await guest.qmp('device_del', { id: 'dev0.0' });
  await present(false);
  await expect(guest.do.ioctl(fd, STATUS, u32(0))).rejects.toMatchObject({ code: 'ENODEV' });

  const path = guest.host.list()[0]!.socketPath;
  const device = { driver: 'vfio-user-pci', id: 'again', bus: 'rp0', socket: { type: 'unix', path }, rombar: 0 };
  const plug = () =>
    guest.qmp('device_add', device).then(
      () => 'plugged',
      (error: Error) => error.message,
    );
  await expect.poll(plug, { timeout: 60_000 }).toBe('plugged');
  await present(true).catch(async (e) => { console.log((await guest.do.run(['sh','-c','dmesg | tail -25; ls /sys/bus/pci/devices; cat /proc/iomem | grep -i pci'])).stdout); throw e; });
  expect(await guest.do.read('/dev/mock0'), 'a new client finds a device in its first state').toContain(
    'Status: 0x00000001',
  );
  await expect(guest.do.ioctl(fd, STATUS, u32(0)), 'the old file stays dead').rejects.toMatchObject({ code: 'ENODEV' });
  await guest.do.close(fd);
  expect((await guest.do.run(['dmesg'])).stdout).not.toMatch(/BUG|WARNING|Call Trace|Oops/);
});
