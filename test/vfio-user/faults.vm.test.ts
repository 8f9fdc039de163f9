import { once } from 'node:events';
import type { FaultEvent } from '@kata-mock/vfio-user';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { DmaStatus } from '../../vfio-user/src/mock-accel/gen/registers.ts';
import { DMA_TEST, dmaRequest, readDma } from '../kernel-driver/ioctls.ts';
import { type AerBits, injectAer } from '../support/bare-guest/aer.ts';
import { BareGuest } from '../support/bare-guest/bare-guest.ts';

const STATUS = { access: 'read', region: 0, offset: 0x2c } as const;
const CLASS = '/sys/class/mock-accel';
const HEALTHY = '0x00000001';
const ONES = '0xffffffff';
/** Of FAULTY, HEALTHY and FATAL, which a fatal error takes out of service. */
const [FAULTY, FATAL] = ['d0.0', 'd2.0'];
let guest: BareGuest;
/** The guest's class directory of each device: its numbers depend on its scan. */
const places = new Map<string, string>();

beforeAll(async () => {
  const devices = ['FAULTY', 'HEALTHY', 'FATAL'].map((uuid) => ({ uuid }));
  guest = await BareGuest.boot({ devices, onClientGone: 'relisten' });
  for (const module of ['mock-accel', 'aer_inject'])
    expect(await guest.do.run(['modprobe', module])).toMatchObject({ status: 0 });
  for (const name of await guest.do.list(CLASS)) {
    const bus = Number((await addressOf(`${CLASS}/${name}`)).slice(5, 7));
    places.set(`d${bus - 1}.0`, `${CLASS}/${name}`);
  }
});
afterAll(() => guest?.stop());

const set = (fault: object, when: object = STATUS, device = FAULTY) =>
  guest.host.request(device, 'fault-set', { rule: { id: 'fault', when, fault } });
const clear = (device = FAULTY) => guest.host.request(device, 'fault-clear', {});
const status = async (device = FAULTY) => (await guest.do.read(`${places.get(device)}/status`)).trim();
const addressOf = async (place: string) => (await guest.do.realpath(`${place}/device`)).split('/').at(-1)!;

/** The host still answers, and so does the device beside the broken one. */
async function expectHealthyHost(): Promise<void> {
  expect((await guest.host.registers('d1.0'))[0]!.value).toBe('0x4b434f4d');
  expect(await status('d1.0')).toBe(HEALTHY);
}

describe('a fault of an access', () => {
  afterEach(async () => {
    await clear();
    expect(await status()).toBe(HEALTHY);
    await expectHealthyHost();
  });

  test.each([
    ['all ones', { kind: 'ones' }, ONES],
    ['a stuck bit', { kind: 'stuck', mask: 1, value: 0 }, '0x00000000'],
    ['flipped bits', { kind: 'flip', mask: 0x8001 }, '0x00008000'],
    ['a late answer', { kind: 'delay', ms: 300 }, HEALTHY],
    ['an error reply, which reads as all ones', { kind: 'error', errno: 5 }, ONES],
  ])('%s: the guest reads it', async (_, fault, expected) => {
    await set(fault);
    expect(await status()).toBe(expected);
  });

  test('a short reply: QEMU takes what is there, so the guest reads something else', async () => {
    await guest.do.write(`${places.get(FAULTY)}/status`, '0xaabb0001');
    await set({ kind: 'short', bytes: 2 });
    expect(await status()).not.toBe('0xaabb0001');
    await guest.do.write(`${places.get(FAULTY)}/status`, '1');
  });

  test('of a write: refused leaves the register as it was, to a device that is gone vanishes, flipped and late arrives so', async () => {
    const write = { ...STATUS, access: 'write' };
    const file = `${places.get(FAULTY)}/status`;
    for (const fault of [{ kind: 'error', errno: 5 }, { kind: 'removal' }]) {
      await set(fault, write);
      await guest.do.write(file, '0xaabb0001');
      expect(await guest.host.request(FAULTY, 'fault-list')).toMatchObject([{ struck: 1 }]);
      await clear();
      expect(await status()).toBe(HEALTHY);
    }
    for (const [fault, arrives] of [
      [{ kind: 'flip', mask: 0x30 }, '0xaabb0031'],
      [{ kind: 'delay', ms: 300 }, '0xaabb0001'],
    ] as const) {
      await set(fault, write);
      await guest.do.write(file, '0xaabb0001');
      await clear();
      expect(await status()).toBe(arrives);
    }
    await guest.do.write(file, '1');
  });

  test('only the second read strikes', async () => {
    await set({ kind: 'ones' }, { ...STATUS, nth: 2 });
    expect([await status(), await status(), await status()]).toEqual([HEALTHY, ONES, HEALTHY]);
  });

  test('not before its time', async () => {
    await set({ kind: 'ones' }, { ...STATUS, afterMs: 1000 });
    expect(await status()).toBe(HEALTHY);
    await expect.poll(() => status(), { timeout: 10_000 }).toBe(ONES);
  });

  test('with a probability, the same reads for the same seed', async () => {
    const reads = async () => {
      await set({ kind: 'ones' }, { ...STATUS, probability: 0.5, seed: 11 });
      const found: string[] = [];
      for (let read = 0; read < 24; read++) found.push(await status());
      return found;
    };
    const first = await reads();
    expect(new Set(first)).toEqual(new Set([HEALTHY, ONES]));
    expect(await reads()).toEqual(first);
  });

  test('removal: every register reads all ones until the device is back', async () => {
    await set({ kind: 'removal' }, {});
    expect(await status()).toBe(ONES);
    expect(await guest.do.read(`${places.get(FAULTY)}/fw_version`)).toBe('65535.255.255\n');
  });
});

describe('a fault of interrupts and DMA', () => {
  const transfer = async () => {
    const fd = await guest.do.open(`/dev/${places.get(FAULTY)!.split('/').at(-1)}`, 'r+');
    try {
      return readDma(await guest.do.ioctl(fd, DMA_TEST, dmaRequest(64)));
    } finally {
      await guest.do.close(fd);
    }
  };
  /** Interrupts of the device's DMA vector so far, over all processors. */
  const interrupts = async () => {
    const name = places.get(FAULTY)!.split('/').at(-1)!;
    const lines = (await guest.do.read('/proc/interrupts')).split('\n').filter((line) => line.endsWith(` ${name}`));
    const counts = lines[1]!.trim().split(/\s+/).slice(1);
    return Number(counts[0]) + Number(counts[1]);
  };
  afterEach(async () => {
    await clear();
    expect(await transfer()).toMatchObject({ error: 0, mismatch: 64 });
    await expectHealthyHost();
  });

  test('a DMA error is reported by the device', async () => {
    await set({ kind: 'dma-error' }, {});
    expect(await transfer()).toMatchObject({ error: DmaStatus.ERROR_ABORTED, interrupts: 1 });
  });

  test('a late interrupt still ends the transfer, and late', async () => {
    await set({ kind: 'irq-late', ms: 400 }, {});
    const begin = performance.now();
    expect(await transfer()).toMatchObject({ error: 0, mismatch: 64 });
    expect(performance.now() - begin).toBeGreaterThan(400);
  });

  test('a duplicate interrupt comes to the guest twice, and is harmless', async () => {
    const before = await interrupts();
    // One transfer is two commands; the second one's interrupt has none after it to be taken together with.
    await set({ kind: 'irq-duplicate' }, { vector: 1, nth: 2 });
    expect(await transfer()).toMatchObject({ error: 0, mismatch: 64 });
    await expect.poll(interrupts, { timeout: 10_000 }).toBe(before + 3);
  });

  test('lost interrupts make the driver wait, not the host, and the transfer is done all the same', async () => {
    const before = await interrupts();
    await set({ kind: 'irq-lost' }, {});
    expect(await transfer()).toMatchObject({ error: 0, mismatch: 64, interrupts: 0 });
    expect(await interrupts()).toBe(before);
  });
});

// The protocol has no message for an AER event: the rule strikes in the host, aer_inject in the guest carries it out.
describe('an AER event', () => {
  const dmesg = async () => (await guest.do.run(['dmesg'])).stdout;
  /** Waits for the rule to strike on a read, and carries the event to the guest. */
  const carry = async (fault: object, device: string) => {
    await set({ kind: 'aer', ...fault }, { ...STATUS, times: 1 }, device);
    const struck = once(guest.host, 'fault');
    expect(await status(device)).toBe(HEALTHY);
    const [event] = (await struck) as [FaultEvent];
    expect(event).toMatchObject({ id: device, fault: { kind: 'aer', ...fault } });
    await injectAer(guest, await addressOf(places.get(device)!), event.fault as AerBits);
    await clear(device);
  };

  test.each([
    ['correctable', 'aer_dev_correctable', 'RxErr', { correctable: 0x1 }],
    ['nonfatal', 'aer_dev_nonfatal', 'CmpltTO', { uncorrectable: 0x4000 }],
  ])('%s: the guest counts it, the device goes on', async (_, file, name, fault) => {
    const count = async () => {
      const text = await guest.do.read(`${places.get(FAULTY)}/device/${file}`);
      return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)![1]);
    };
    const before = await count();
    await carry(fault, FAULTY);
    await expect.poll(count, { timeout: 30_000 }).toBe(before + 1);
    if ('uncorrectable' in fault)
      await expect.poll(dmesg, { timeout: 30_000 }).toMatch(/mock\d: recovered from a PCI error/);
    expect(await status()).toBe(HEALTHY);
    await expectHealthyHost();
  });

  // QEMU's root port never reports its link as active again after the reset that a fatal error needs, so Linux gives the
  // device up. That is as far as it goes.
  test('fatal: the guest resets the link and gives the device up, its neighbours go on', async () => {
    await carry({ uncorrectable: 0x4_0000 }, FATAL);
    await expect.poll(dmesg, { timeout: 60_000 }).toMatch(/AER: device recovery failed/);
    expect(await dmesg()).toMatch(/mock-accel [0-9a-f:.]+: AER: PCIe Bus Error: severity=Uncorrectable \(Fatal\)/);
    expect(await status(FATAL)).not.toBe(HEALTHY);
    expect(await status()).toBe(HEALTHY);
    await expectHealthyHost();
    expect((await guest.host.registers(FATAL))[0]!.value).toBe('0x4b434f4d');
  });
});
