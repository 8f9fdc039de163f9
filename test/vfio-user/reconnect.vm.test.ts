import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BareGuest } from '../support/bare-guest/bare-guest.ts';

const MOCK = '/sys/class/mock-accel';
const DEVICE = 'd0.0';
let guest: BareGuest;

// Without MSI-X: unplugging a vfio-user device that has it aborts QEMU (10.2 and 11.1), whatever the server does. With a
// class: Linux assigns no BARs to an unclassified device, and its ACPI hot plug removes a device without them.
beforeAll(async () => {
  const devices = ['FAULTY', 'HEALTHY'].map((uuid) => ({ uuid, msix: false, intx: true, classCode: 0x120000 }));
  guest = await BareGuest.boot({ devices, onClientGone: 'relisten' });
  expect(await guest.do.run(['modprobe', 'mock-accel'])).toMatchObject({ status: 0 });
  expect(await status(), guest.consoleText().slice(-2000)).toBe('0x00000001');
});
afterAll(() => guest?.stop());

/** STATUS of the device in the first root port, wherever the guest put it; undefined while it is not there. */
async function status(): Promise<string | undefined> {
  for (const name of await guest.do.list(MOCK)) {
    const device = await guest.do.realpath(`${MOCK}/${name}/device`);
    if (device.endsWith('/0000:01:00.0')) return (await guest.do.read(`${MOCK}/${name}/status`)).trim();
  }
  return undefined;
}

const set = (fault: object) => {
  const when = { access: 'read', region: 0, offset: 0x2c, times: 1 };
  return guest.host.request(DEVICE, 'fault-set', { rule: { id: 'fault', when, fault } });
};

describe('a fault that ends the connection, after which the device is plugged anew', () => {
  test.each([
    ['a stall: the guest waits five seconds', { kind: 'stall' }, '0x00000001'],
    ['a malformed reply', { kind: 'malformed' }, undefined],
    ['a reply with a wrong id', { kind: 'wrong-id' }, undefined],
    ['a crash', { kind: 'crash' }, undefined],
    ['a crash that comes back', { kind: 'crash', returnMs: 300 }, undefined],
  ])('%s reads as all ones, and the device beside it is well', async (_, fault, afterwards) => {
    await set(fault);
    expect(await status()).toBe('0xffffffff');
    if (afterwards !== undefined) expect(await status()).toBe(afterwards);
    expect((await guest.host.registers('d1.0'))[0]!.value).toBe('0x4b434f4d');
    await guest.host.request(DEVICE, 'fault-clear', {});
    await guest.replug(0);
    await expect.poll(status, { timeout: 90_000, interval: 500 }).toBe('0x00000001');
  });
});
