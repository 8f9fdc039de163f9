import { afterAll, beforeAll, expect, test } from 'vitest';
import { BareGuest } from '../support/bare-guest/bare-guest.ts';
import { loadModule } from '../support/guest-module.ts';

const example = (name: string) => new URL(`../../vfio-user/examples/${name}.ts`, import.meta.url).href;
const MAP_SHARED = 1;
const PAGE = 4096;
/** Conventional memory that Linux leaves alone, and the BIOS: /dev/mem shows both. */
const [LOW_MEMORY, BIOS] = [0x50000, 0xf0000];

let guest: BareGuest;
const logged: string[] = [];

beforeAll(async () => {
  guest = await BareGuest.boot({ devices: [], modules: ['smallest', 'echo', 'edu'].map(example) });
  guest.host.on('log', ({ message }) => logged.push(message));
  await loadModule(guest, 'irq-counter');
});
afterAll(() => guest?.stop());

/** The guest's directory of the device with this identity. */
async function find(vendor: string, device: string): Promise<string> {
  for (const name of await guest.do.list('/sys/bus/pci/devices')) {
    const directory = `/sys/bus/pci/devices/${name}`;
    const ids = [await guest.do.read(`${directory}/vendor`), await guest.do.read(`${directory}/device`)];
    if (ids[0]!.trim() === vendor && ids[1]!.trim() === device) return directory;
  }
  throw new Error(`the guest has no ${vendor}:${device}`);
}

/** Turns a device on (memory and bus mastering) and maps its first BAR. */
async function open(vendor: string, device: string) {
  const directory = await find(vendor, device);
  await guest.do.write(`${directory}/enable`, '1');
  const name = directory.split('/').at(-1)!;
  const { status, stderr } = await guest.do
    .run(['setpci', '-s', name, 'COMMAND=0006'])
    .catch(() => ({ status: 1, stderr: 'no setpci' }));
  if (status !== 0) await setCommand(`${directory}/config`, stderr);
  const mapping = await guest.do.map(await guest.do.open(`${directory}/resource0`, 'r+'), PAGE, 0, MAP_SHARED);
  const peek = async (offset: number) => Buffer.from(await guest.do.peek(mapping, offset, 4), 'base64').readUInt32LE();
  const poke = (offset: number, value: number) => guest.do.poke32(mapping, offset, value);
  return { peek, poke };
}

/** Sets memory and bus master in the command register through sysfs. */
async function setCommand(config: string, reason: string): Promise<void> {
  const command = `printf '\\006\\000' | dd of=${config} bs=1 seek=4 conv=notrunc`;
  const { status, stderr } = await guest.do.run(['sh', '-c', command]);
  expect(status, `${reason}; ${stderr}`).toBe(0);
}

/** PCI_IRQ_* of Linux. */
const [INTX, MSI, MSIX] = [1, 2, 4];

/** Gives a device's interrupt to the counting driver. Returns what /proc/interrupts says of it. */
async function countInterrupts(vendor: string, device: string, type: number) {
  const directory = await find(vendor, device);
  const name = directory.split('/').at(-1)!;
  const driver = '/sys/bus/pci/drivers/irq-counter';
  if (await guest.do.exists(`${driver}/${name}`)) await guest.do.write(`${driver}/unbind`, name);
  await guest.do.write('/sys/module/irq_counter/parameters/types', String(type));
  await guest.do.write(`${directory}/driver_override`, 'irq-counter');
  await guest.do.write(`${driver}/bind`, name);
  const line = async () => {
    const lines = (await guest.do.read('/proc/interrupts')).split('\n');
    return lines
      .find((text) => text.endsWith(` ${name}`))!
      .trim()
      .split(/\s+/);
  };
  return {
    count: async () => Number((await line())[1]) + Number((await line())[2]),
    kind: (await line())[3],
  };
}

async function lowMemory(address: number, length: number): Promise<string> {
  const fd = await guest.do.open('/dev/mem', 'r+');
  const mapping = await guest.do.map(fd, PAGE, address, MAP_SHARED);
  const bytes = await guest.do.peek(mapping, 0, length);
  await guest.do.unmap(mapping);
  await guest.do.close(fd);
  return bytes;
}

test('the smallest device prints what the guest writes', async () => {
  const { poke, peek } = await open('0x1de5', '0x00ff');
  await poke(0, 4242);
  expect(await peek(0)).toBe(4242);
  await expect.poll(() => logged, { timeout: 5000 }).toContain('the guest wrote 4242');
});

test('the echo device copies guest memory', async () => {
  const { poke, peek } = await open('0x1de5', '0x00fe');
  await poke(0, BIOS);
  await poke(8, LOW_MEMORY);
  await poke(16, 256);
  const before = await peek(24);
  await poke(20, 1);
  await expect.poll(() => peek(24), { timeout: 5000 }).toBe(before + 1);
  expect(await lowMemory(LOW_MEMORY, 256)).toBe(await lowMemory(BIOS, 256));
});

test('the echo device tells by MSI-X that a copy is done', async () => {
  const { poke } = await open('0x1de5', '0x00fe');
  const { count, kind } = await countInterrupts('0x1de5', '0x00fe', MSIX);
  expect(kind).toMatch(/^PCI-MSIX-/);
  for (const copies of [1, 2]) {
    await poke(20, 1);
    await expect.poll(count, { timeout: 5000 }).toBe(copies);
  }
});

test("QEMU's edu device computes, answers and transfers", async () => {
  const { poke, peek } = await open('0x1234', '0x11e8');
  expect(await peek(0)).toBe(0x010000ed);
  await poke(4, 0x0f0f0f0f);
  expect(await peek(4)).toBe(0xf0f0f0f0);
  await poke(8, 10);
  expect(await peek(8)).toBe(3628800);
  const transfer = async (source: number, target: number, command: number) => {
    await poke(0x80, source);
    await poke(0x88, target);
    await poke(0x90, 100);
    await poke(0x98, command);
    await expect.poll(async () => (await peek(0x98)) & 1, { timeout: 5000 }).toBe(0);
  };
  await transfer(BIOS + PAGE, 0x40000, 1);
  await transfer(0x40000, LOW_MEMORY + PAGE, 3);
  expect(await lowMemory(LOW_MEMORY + PAGE, 100)).toBe(await lowMemory(BIOS + PAGE, 100));
});

test("QEMU's edu device interrupts: when told to, after a factorial, after a transfer", async () => {
  const { poke, peek } = await open('0x1234', '0x11e8');
  const message = await countInterrupts('0x1234', '0x11e8', MSI);
  expect(message.kind).toMatch(/^PCI-MSI-/);
  const causes: [string, () => Promise<unknown>, number][] = [
    ['raised by software', () => poke(0x60, 0x20), 0x20],
    ['factorial', () => poke(0x20, 0x80).then(() => poke(8, 5)), 0x1],
    ['transfer', () => poke(0x98, 7), 0x100],
  ];
  await poke(0x80, 0x40000);
  await poke(0x88, LOW_MEMORY + PAGE);
  await poke(0x90, 100);
  let expected = 0;
  for (const [what, cause, status] of causes) {
    await cause();
    await expect.poll(message.count, { timeout: 5000, message: what }).toBe(++expected);
    expect(await peek(0x24), what).toBe(status);
    await poke(0x64, status);
    expect(await peek(0x24), what).toBe(0);
  }

  const line = await countInterrupts('0x1234', '0x11e8', INTX);
  expect(line.kind).toMatch(/^IO-APIC/);
  await poke(0x60, 0x2);
  await expect.poll(line.count, { timeout: 5000 }).toBeGreaterThan(0);
  expect(await peek(0x24)).toBe(2);
  await poke(0x64, 2);
});
