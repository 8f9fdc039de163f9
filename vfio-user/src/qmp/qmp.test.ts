import net from 'node:net';
import path from 'node:path';
import readline from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporaryDirectory } from '../testing.ts';
import { Monitor } from './monitor.ts';
import { unplug } from './unplug.ts';

let directory: ReturnType<typeof temporaryDirectory>;
let server: net.Server;
const said: string[] = [];

beforeEach(() => {
  directory = temporaryDirectory();
  said.length = 0;
});
afterEach(() => {
  server?.close();
  directory.remove();
});

const socketPath = () => path.join(directory.path, 'qmp.sock');

/** A QEMU that has these devices and answers as the real one does. */
async function fakeQemu(devices: Record<string, string>, deleted: (id: string) => object[]): Promise<void> {
  server = net.createServer((socket) => {
    const write = (line: object) => socket.write(`${JSON.stringify(line)}\n`);
    write({ QMP: { version: {} } });
    readline.createInterface({ input: socket }).on('line', (text) => {
      const { execute, arguments: given } = JSON.parse(text) as { execute: string; arguments: { id: string } };
      said.push(execute);
      if (execute === 'qom-list') write({ return: Object.entries(devices).map(([name, type]) => ({ name, type })) });
      else if (execute === 'device_del') for (const line of deleted(given.id)) write(line);
      else write({ return: {} });
    });
  });
  await new Promise<void>((resolve) => server.listen(socketPath(), resolve));
}

const gone = (id: string) => [
  { event: 'ACPI_DEVICE_OST', data: {} },
  { return: {} },
  { event: 'DEVICE_DELETED', data: { path: '/x' } },
  { event: 'DEVICE_DELETED', data: { device: id } },
];
const devices = { type: 'string', rp0: 'child<pcie-root-port>', dev0: 'child<vfio-user-pci>' };

test('the only vfio-user device is unplugged, and known to be gone', async () => {
  await fakeQemu(devices, gone);
  expect(await unplug(socketPath(), { msixVectors: 0 })).toBe('dev0');
  expect(said).toEqual(['qmp_capabilities', 'qom-list', 'device_del']);
});

test('of two devices one must be named', async () => {
  await fakeQemu({ ...devices, dev1: 'child<vfio-user-pci>' }, gone);
  await expect(unplug(socketPath(), { msixVectors: 0 })).rejects.toThrow('dev0, dev1; name one with --qdev');
  expect(await unplug(socketPath(), { device: 'dev1', msixVectors: 0 })).toBe('dev1');
});

test('with MSI-X it is refused before QEMU is asked, unless by force', async () => {
  await fakeQemu(devices, gone);
  for (const msixVectors of [4, undefined])
    await expect(unplug(socketPath(), { msixVectors })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  expect(said).toEqual([]);
  expect(await unplug(socketPath(), { msixVectors: 4, force: true })).toBe('dev0');
});

test("QEMU's own refusal is passed on", async () => {
  await fakeQemu(devices, () => [{ error: { class: 'GenericError', desc: 'no hot plug' } }]);
  await expect(unplug(socketPath(), { msixVectors: 0 })).rejects.toMatchObject({
    code: 'REPLY',
    message: 'QEMU monitor, device_del: no hot plug',
  });
});

test('an end of QEMU in between, or nobody there, is said', async () => {
  await expect(Monitor.connect(socketPath())).rejects.toMatchObject({ code: 'DISCONNECTED' });
  server = net.createServer((socket) => socket.end());
  await new Promise<void>((resolve) => server.listen(socketPath(), resolve));
  await expect(Monitor.connect(socketPath())).rejects.toThrow('QEMU closed it');
});

test.each([
  ['a line that is no JSON', '220 mail ready\n'],
  ['JSON that is no object', 'null\n'],
  ['a line without an end', 'x'.repeat(3 << 20)],
])('%s is no answer of a monitor', async (_, greeting) => {
  server = net.createServer((socket) => void socket.on('error', () => {}).write(greeting));
  await new Promise<void>((resolve) => server.listen(socketPath(), resolve));
  await expect(Monitor.connect(socketPath())).rejects.toThrow(`"${greeting.trim().slice(0, 80)}" is no answer`);
});

test('a monitor that has ended is said so at once', async () => {
  await fakeQemu(devices, gone);
  const monitor = await Monitor.connect(socketPath());
  const ended = expect(monitor.event(() => false, 60_000, 'no event')).rejects.toThrow('QEMU closed it');
  monitor.close();
  await ended;
  await expect(monitor.execute('query-status')).rejects.toThrow('QEMU closed it');
});
