import { existsSync, writeFileSync } from 'node:fs';
import { controlCall, startControlServer } from '@kata-mock/vfio-user';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BareGuest } from '../support/bare-guest/bare-guest.ts';
import { Running } from '../support/command.ts';
import { program } from '../support/paths.ts';

const MOCK = '/sys/class/mock-accel';
const DEVICE = 'd0.0';
const ONES = '0xffffffff';
const HEALTHY = '0x00000001';
const MAP_SHARED = 1;
/** Unplugging takes seconds, and everything is slow under emulation. */
const PATIENCE = { timeout: 90_000, interval: 500 };
// Without MSI-X: unplugging a vfio-user device that has it aborts QEMU (10.2 and 11.1), whatever the server does. With a
// class: Linux assigns no BARs to an unclassified device, and its ACPI hot plug removes a device without them.
const unpluggable = { msix: false, intx: true, classCode: 0x120000, aperture: '64K' };
let guest: BareGuest;

beforeAll(async () => {
  const devices = [{ uuid: 'FAULTY' }, { uuid: 'HEALTHY' }].map((device) => ({ ...unpluggable, ...device }));
  guest = await BareGuest.boot({ devices: [...devices, { uuid: 'MSIX' }], onClientGone: 'relisten' });
  expect(await guest.do.run(['modprobe', 'mock-accel'])).toMatchObject({ status: 0 });
  expect(await status(), guest.consoleText().slice(-2000)).toBe(HEALTHY);
});
afterAll(() => guest?.stop());

/** The name and the status of the device at root port `index`, wherever the guest put it; undefined while it is not there. */
async function find(index = 0): Promise<{ name: string; status: string } | undefined> {
  for (const name of await guest.do.list(MOCK)) {
    const device = await guest.do.realpath(`${MOCK}/${name}/device`);
    if (device.endsWith(`/0000:0${index + 1}:00.0`))
      return { name, status: (await guest.do.read(`${MOCK}/${name}/status`)).trim() };
  }
  return undefined;
}
const status = async (index = 0) => (await find(index))?.status;
const present = () => expect.poll(() => status(), PATIENCE).toBe(HEALTHY);
const absent = () => expect.poll(() => status(), PATIENCE).toBeUndefined();

/** The device at root port 0 has gone for good; QEMU, the guest and the host's other devices have not. */
async function expectHealthyHost(): Promise<void> {
  expect(await guest.qmp('query-status')).toMatchObject({ running: true });
  expect([await status(1), await status(2)]).toEqual([HEALTHY, HEALTHY]);
  expect((await guest.host.registers('d1.0'))[0]!.value).toBe('0x4b434f4d');
}

describe('a fault that ends the connection, after which the device is plugged anew', () => {
  const set = (fault: object) => {
    const when = { access: 'read', region: 0, offset: 0x2c, times: 1 };
    return guest.host.request(DEVICE, 'fault-set', { rule: { id: 'fault', when, fault } });
  };

  test.each([
    ['a stall: the guest waits five seconds', { kind: 'stall' }, HEALTHY],
    ['a malformed reply', { kind: 'malformed' }, undefined],
    ['a reply with a wrong id', { kind: 'wrong-id' }, undefined],
    ['a crash', { kind: 'crash' }, undefined],
    ['a crash that comes back', { kind: 'crash', returnMs: 300 }, undefined],
  ])('%s reads as all ones, and the device beside it is well', async (_, fault, afterwards) => {
    await set(fault);
    expect(await status()).toBe(ONES);
    if (afterwards !== undefined) expect(await status()).toBe(afterwards);
    await expectHealthyHost();
    await guest.host.request(DEVICE, 'fault-clear', {});
    await guest.replug(0);
    await present();
  });
});

describe('surprise removal', () => {
  const ctl = (control: string, ...args: string[]) =>
    new Running(program('mock-accel-server'), ['ctl', ...args.slice(0, -1), control, args.at(-1)!]).ended;
  /** Reads the first bytes of the aperture, or writes them. */
  const aperture = async (written?: string) => {
    const fd = await guest.do.open(`/dev/${(await find())!.name}`, 'r+');
    const mapping = await guest.do.map(fd, 65_536, 0, MAP_SHARED);
    if (written !== undefined) await guest.do.poke(mapping, 0, Buffer.from(written).toString('base64'));
    const bytes = Buffer.from(await guest.do.peek(mapping, 0, 4), 'base64').toString();
    await guest.do.unmap(mapping);
    await guest.do.close(fd);
    return bytes;
  };

  test('by ctl: all ones, then unplugged; plugged in again the device is as new', async () => {
    const control = guest.file('control.sock');
    const server = await startControlServer(guest.host, control);
    expect(await aperture('mine')).toBe('mine');
    expect(await ctl(control, '-d', DEVICE, 'remove')).toMatchObject({ status: 0 });
    expect(await status()).toBe(ONES);
    const unplugged = await ctl(control, '-d', DEVICE, '--qmp', guest.monitor, '--qdev', 'dev0.0', 'remove');
    expect(unplugged).toMatchObject({ status: 0, stdout: `removed: ${DEVICE}\nunplugged: dev0.0\n` });
    await absent();
    await expectHealthyHost();
    await guest.plug(0);
    await present();
    expect(await aperture()).toBe('\0\0\0\0');

    const refused = await ctl(control, '-d', 'd2.0', '--qmp', guest.monitor, '--qdev', 'dev2.0', 'remove');
    expect(refused).toMatchObject({ status: 2, stdout: '' });
    expect(refused.stderr).toMatch(/4 MSI-X vectors, and QEMU .* aborts/);
    await expectHealthyHost();
    await server.close();
  });

  test('by a rule that strikes in a server of its own; with --keep-state memory is there again afterwards', async () => {
    const [socket, control, profile] = ['kept.sock', 'kept-control.sock', 'profile.json'].map((name) =>
      guest.file(name),
    );
    writeFileSync(profile!, JSON.stringify({ version: 1, profiles: { kept: { ...unpluggable, uuid: 'KEPT' } } }));
    const args = ['--relisten', '--keep-state', '--profile', profile!, '--control', control!];
    const server = new Running(program('mock-accel-server'), [
      ...args,
      ...['--qmp', guest.monitor, '--qdev', 'dev0.0', socket!],
    ]);
    await expect.poll(() => existsSync(control!), PATIENCE).toBe(true);
    await guest.qmp('device_del', { id: 'dev0.0' });
    await guest.gone('dev0.0');
    await guest.plug(0, socket);
    await present();
    expect(await aperture('kept')).toBe('kept');
    const rule = { id: 'r', when: { access: 'read', region: 0, offset: 0x2c, nth: 2 }, fault: { kind: 'removal' } };
    await controlCall(control!, 'fault-set', { id: 'd0', rule });
    expect(await status()).toBe(HEALTHY);
    expect(await status()).toBe(ONES);
    await absent();
    await expect.poll(() => controlCall(control!, 'fault-list', { id: 'd0' }), PATIENCE).toEqual([]);
    await expectHealthyHost();
    await guest.plug(0, socket);
    await present();
    expect(await aperture()).toBe('kept');
    server.kill();
    expect(await server.ended).toMatchObject({ status: 0, stderr: '' });
  });
});
