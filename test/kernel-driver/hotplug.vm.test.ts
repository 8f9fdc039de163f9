import { afterEach, describe, expect, it } from 'vitest';
import { BareGuest } from '../support/bare-guest/bare-guest.ts';
import { readU32, SET_STATUS, STATUS, u32 } from './ioctls.ts';

/** Hot plug by PCI Express itself instead of ACPI. */
const NATIVE = ['-global', 'ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off'];
/** A root port's attention button is pressed for five seconds, and everything else is slow under emulation. */
const PATIENCE = { timeout: 45_000, interval: 200 };

let guest: BareGuest;
afterEach(() => guest?.stop());

const present = (wanted: boolean) => expect.poll(() => guest.do.exists('/dev/mock0'), PATIENCE).toBe(wanted);

async function plugAgain(): Promise<void> {
  const path = guest.host.list()[0]!.socketPath;
  const device = { driver: 'vfio-user-pci', id: 'again', bus: 'rp0', socket: { type: 'unix', path }, rombar: 0 };
  const plug = () =>
    guest.qmp('device_add', device).then(
      () => 'plugged',
      (error: Error) => error.message,
    );
  await expect.poll(plug, PATIENCE).toBe('plugged');
}

describe('hot plug', () => {
  // Linux takes a function of class 0000 away again when ACPI plugs it, for its BARs have no place and never get one.
  it.each([
    ['a processing accelerator, by ACPI', { classCode: 0x120000 }, []],
    ['a function without a class, by PCI Express', {}, NATIVE],
  ])('is followed under an open file: %s', async (_what, options, qemu) => {
    // QEMU 11.1 aborts when a vfio-user device with MSI-X is unplugged, so this one has none.
    guest = await BareGuest.boot({ devices: [{ msix: false, ...options }], qemu, onClientGone: 'relisten' });
    expect(await guest.do.run(['modprobe', 'mock-accel'])).toMatchObject({ status: 0 });
    const fd = await guest.do.open('/dev/mock0', 'r+');
    await guest.do.ioctl(fd, SET_STATUS, u32(5));
    expect(readU32(await guest.do.ioctl(fd, STATUS, u32(0)))).toBe(5);

    await guest.qmp('device_del', { id: 'dev0.0' });
    await present(false);
    await expect(guest.do.ioctl(fd, STATUS, u32(0))).rejects.toMatchObject({ code: 'ENODEV' });

    await plugAgain();
    await present(true);
    expect(await guest.do.read('/dev/mock0'), 'a new client finds a device in its first state').toContain(
      'Status: 0x00000001',
    );
    await expect(guest.do.ioctl(fd, STATUS, u32(0)), 'the old file stays dead').rejects.toMatchObject({
      code: 'ENODEV',
    });
    await guest.do.close(fd);
    expect((await guest.do.run(['dmesg'])).stdout).not.toMatch(/BUG|WARNING|Call Trace|Oops/);
  });
});
