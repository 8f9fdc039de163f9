/** What can stand between a guest and a device, or change while it runs: a profile, QEMU's way to write, a proxy. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { controlCall } from '@kata-mock/vfio-user';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DMA_TEST, dmaRequest, readDma } from '../kernel-driver/ioctls.ts';
import { BareGuest } from '../support/bare-guest/bare-guest.ts';
import { Running } from '../support/command.ts';
import { program } from '../support/paths.ts';

const CLASS = '/sys/class/mock-accel';
const PCI = '/sys/bus/pci';
/** Behind root ports 0 to 3. */
const [PROFILED, WAITING, PROXIED, RECORDED] = ['0000:01:00.0', '0000:02:00.0', '0000:03:00.0', '0000:04:00.0'];
const STATUS = { region: 0, offset: 0x2c } as const;
let guest: BareGuest;
let server: Running;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'km-between-'));
  writeProfile({});
  const socket = path.join(folder, 'd.sock');
  const args = ['-v', '--relisten', '--profile', path.join(folder, 'profile.json'), socket];
  server = new Running(program('mock-accel-server'), args);
  await server.until('it listens', () => existsSync(socket));
  guest = await BareGuest.boot({
    devices: [{}, { uuid: 'WAITING' }, { uuid: 'PROXIED' }, { uuid: 'RECORDED' }],
    traced: [3],
    properties: { 0: { socket: { type: 'unix', path: socket } }, 1: { 'x-no-posted-writes': true } },
    proxied: [2],
    onClientGone: 'relisten',
  });
  expect(await guest.do.run(['modprobe', 'mock-accel'])).toMatchObject({ status: 0 });
});
afterAll(async () => {
  await guest?.stop();
  server?.kill();
  await server?.ended;
  rmSync(folder, { recursive: true, force: true });
});

function writeProfile(options: object): void {
  const file = { version: 1, profiles: { sku: { uuid: 'PROFILED', totalVfs: 0, ...options } } };
  writeFileSync(path.join(folder, 'profile.json'), JSON.stringify(file));
}

const read = async (file: string) => (await guest.do.read(file)).trim();
/** The class directory of the device at an address. */
async function placeOf(address: string): Promise<string> {
  for (const name of await guest.do.list(CLASS))
    if ((await guest.do.realpath(`${CLASS}/${name}/device`)).endsWith(`/${address}`)) return `${CLASS}/${name}`;
  throw new Error(`no mock at ${address}`);
}

/** The messages of a trace, in words. */
async function decoded(
  file: string,
): Promise<{ command: string; type: string; posted?: boolean; payload?: Record<string, unknown> }[]> {
  const { stdout } = await new Running(program('mock-accel-server'), ['decode', '--format', 'jsonl', file]).ended;
  const lines = stdout.trim().split('\n');
  return lines.map((line) => JSON.parse(line) as { command: string; type: string });
}

/** The driver's test of a device's DMA engine. */
async function transfer(address: string) {
  const fd = await guest.do.open(`/dev/${(await placeOf(address)).split('/').at(-1)}`, 'r+');
  try {
    return readDma(await guest.do.ioctl(fd, DMA_TEST, dmaRequest(4096)));
  } finally {
    await guest.do.close(fd);
  }
}

describe('a profile that changes while the device runs', () => {
  const identity = async () => {
    const names = ['vendor', 'device', 'class', 'subsystem_vendor', 'subsystem_device', 'revision'];
    return Promise.all(names.map((name) => read(`${PCI}/devices/${PROFILED}/${name}`)));
  };
  const reloads = () => server.stderr.split('profile reloaded').length;
  /** Each try changes to something else: a retry finds the device as the one before left it. */
  let tries = 0;
  const firmware = () => `2.1.${tries}`;

  test('registers change at once, the identity when the guest looks again', async () => {
    const before = await identity();
    if (tries === 0) expect(before).toEqual(['0x1de5', '0x0001', '0x000000', '0x0000', '0x0000', '0x00']);
    tries++;
    const reloaded = reloads();
    writeProfile({
      vendor: '0x10de',
      device: '0x2330',
      classCode: '0x030200',
      subsystemVendor: 0x10de,
      subsystem: 7,
      revision: tries,
      firmwareVersion: 0x020100 + tries,
    });
    await server.until('the profile is reloaded', () => reloads() > reloaded);
    expect(await read(`${await placeOf(PROFILED)}/fw_version`)).toBe(firmware());
    expect(await identity()).toEqual(before);

    await guest.do.write(`${PCI}/devices/${PROFILED}/remove`, '1');
    await guest.do.write(`${PCI}/rescan`, '1');
    expect(await identity()).toEqual(['0x10de', '0x2330', '0x030200', '0x10de', '0x0007', `0x0${tries}`]);
    await guest.do.write(`${PCI}/devices/${PROFILED}/driver_override`, 'mock-accel');
    await guest.do.write(`${PCI}/drivers_probe`, PROFILED);
    expect(await read(`${await placeOf(PROFILED)}/status`)).toBe('0x00000001');
  });

  test('what only a new device can have is refused, and the device goes on', async () => {
    writeProfile({ aperture: '1M' });
    await server.until('the refusal', () => server.stderr.includes('a reload cannot change aperture'));
    expect(await read(`${await placeOf(PROFILED)}/fw_version`)).toBe(firmware());
  });
});

test('a QEMU that posts no writes waits for the answer to each', async () => {
  const writes = async (id: string, address: string) => {
    const file = guest.file(`${id}.pcapng`);
    await guest.host.request(id, 'trace-start', { file });
    await guest.do.write(`${await placeOf(address)}/status`, '0x55');
    expect(await read(`${await placeOf(address)}/status`)).toBe('0x00000055');
    await guest.host.request(id, 'trace-stop', {});
    const messages = (await decoded(file)).filter(({ command }) => command === 'REGION_WRITE');
    return messages.map(({ type, posted }) => [type, posted ?? false]);
  };
  expect(await writes('d1.0', WAITING)).toEqual([
    ['command', false],
    ['reply', false],
  ]);
  expect(await writes('d2.0', PROXIED)).toEqual([['command', true]]);
});

describe('a vfio-user-proxy between QEMU and the server', () => {
  const ask = (method: string, parameters: object = {}) =>
    controlCall(guest.proxyControl(2), method, { ...parameters });
  const status = async () => read(`${await placeOf(PROXIED)}/status`);
  test('records what passes, and breaks a register', async () => {
    const file = guest.file('proxy.pcapng');
    await guest.do.write(`${await placeOf(PROXIED)}/status`, '0x1001');
    await ask('trace-start', { file });
    const rule = { id: 'r', when: { access: 'read', ...STATUS, nth: 2 }, fault: { kind: 'flip', mask: 0xf000 } };
    await ask('fault-set', { rule });
    expect([await status(), await status(), await status()]).toEqual(['0x00001001', '0x0000e001', '0x00001001']);
    await ask('trace-stop');
    const values = (await decoded(file))
      .filter(
        ({ command, type, payload }) =>
          command === 'REGION_READ' && type === 'reply' && payload?.['register'] === 'STATUS',
      )
      .map(({ payload }) => payload?.['data']);
    expect(values).toEqual(['0x00001001', '0x0000e001', '0x00001001']);
  });

  test('loses an interrupt, and only that one', async () => {
    expect(await transfer(PROXIED)).toMatchObject({ error: 0, mismatch: 4096, interrupts: 2 });
    await ask('fault-set', { rule: { id: 'i', when: { vector: 1, nth: 2 }, fault: { kind: 'irq-lost' } } });
    const lost = await transfer(PROXIED).then(
      ({ interrupts }) => interrupts,
      (error: { code: string }) => error.code,
    );
    expect(lost).not.toBe(2);
    expect(await ask('fault-list')).toMatchObject([{ id: 'r' }, { id: 'i', struck: 1 }]);
    expect(await transfer(PROXIED)).toMatchObject({ error: 0, mismatch: 4096, interrupts: 2 });
    expect((await guest.host.registers('d2.0'))[0]!.value).toBe('0x4b434f4d');
  });
});

test('all that QEMU and a guest said to a device replays without a VM, and comes to the same answers', async () => {
  await guest.do.write(`${await placeOf(RECORDED)}/status`, '0x1234');
  expect(await transfer(RECORDED)).toMatchObject({ error: 0, mismatch: 4096, interrupts: 2 });
  await guest.do.write(`${PCI}/devices/${RECORDED}/remove`, '1');
  const { file } = (await guest.host.request('d3.0', 'trace-stop', {})) as { file: string };
  const replay = async (options: object) => {
    const profile = path.join(folder, 'recorded.json');
    writeFileSync(profile, JSON.stringify({ version: 1, profiles: { recorded: options } }));
    return new Running(program('mock-accel-server'), ['replay', '--profile', profile, file]).ended;
  };
  const same = await replay({ uuid: 'RECORDED' });
  expect(same, same.stdout.slice(0, 2000)).toMatchObject({ status: 0, stdout: '' });
  expect(same.stderr).toMatch(/^\d{3,} commands, 0 answers differ\n$/);
  const other = await replay({ uuid: 'OTHER' });
  expect(other.status).toBe(1);
  expect(other.stdout).toMatch(/register=UUID/);
});
