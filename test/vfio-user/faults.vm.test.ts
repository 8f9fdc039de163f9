import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { DMA_TEST, dmaRequest, readDma } from '../kernel-driver/ioctls.ts';
import { BareGuest } from '../support/bare-guest/bare-guest.ts';

const MOCK = '/sys/class/mock-accel/mock0';
const STATUS = { access: 'read', region: 0, offset: 0x2c } as const;
const DEVICE = 'd0.0';
let guest: BareGuest;

beforeAll(async () => {
  guest = await BareGuest.boot({ devices: [{ uuid: 'FAULTY' }, { uuid: 'HEALTHY' }], onClientGone: 'relisten' });
  expect(await guest.do.run(['modprobe', 'mock-accel'])).toMatchObject({ status: 0 });
});
afterAll(() => guest?.stop());

const set = (fault: object, when: object = STATUS) =>
  guest.host.request(DEVICE, 'fault-set', { rule: { id: 'fault', when, fault } });
const status = async () => (await guest.do.read(`${await faulty()}/status`)).trim();

/** The class directory of the device that is broken here: the guest's numbers depend on its scan. */
async function faulty(): Promise<string> {
  for (const name of await guest.do.list('/sys/class/mock-accel')) {
    const uuid = await guest.do.read(`/sys/class/mock-accel/${name}/uuid`);
    if (uuid.startsWith(Buffer.from('FAUL').toString('hex'))) return `/sys/class/mock-accel/${name}`;
  }
  return MOCK;
}

/** The host still answers, and so does the device beside the broken one. */
async function expectHealthyHost(): Promise<void> {
  const registers = await guest.host.registers('d1.0');
  expect(registers[0]!.value).toBe('0x4b434f4d');
}

describe('a fault of an access', () => {
  afterEach(async () => {
    await guest.host.request(DEVICE, 'fault-clear', {});
    expect(await status()).toBe('0x00000001');
    await expectHealthyHost();
  });

  test.each([
    ['all ones', { kind: 'ones' }, '0xffffffff'],
    ['a stuck bit', { kind: 'stuck', mask: 1, value: 0 }, '0x00000000'],
    ['flipped bits', { kind: 'flip', mask: 0x8001 }, '0x00008000'],
    ['a late answer', { kind: 'delay', ms: 300 }, '0x00000001'],
    ['an error reply, which reads as all ones', { kind: 'error', errno: 5 }, '0xffffffff'],
  ])('%s: the guest reads it', async (_, fault, expected) => {
    await set(fault);
    expect(await status()).toBe(expected);
  });

  test('a short reply: QEMU takes what is there, so the guest reads something else', async () => {
    await guest.do.write(`${await faulty()}/status`, '0xaabb0001');
    await set({ kind: 'short', bytes: 2 });
    expect(await status()).not.toBe('0xaabb0001');
    await guest.do.write(`${await faulty()}/status`, '1');
  });

  test('only the second read strikes', async () => {
    await set({ kind: 'ones' }, { ...STATUS, nth: 2 });
    expect([await status(), await status(), await status()]).toEqual(['0x00000001', '0xffffffff', '0x00000001']);
  });

  test('removal: every register reads all ones until the device is back', async () => {
    await set({ kind: 'removal' }, {});
    expect(await status()).toBe('0xffffffff');
  });
});

describe('a fault of interrupts and DMA', () => {
  const transfer = async () => {
    const fd = await guest.do.open(`/dev/${(await faulty()).split('/').at(-1)}`, 'r+');
    try {
      return readDma(await guest.do.ioctl(fd, DMA_TEST, dmaRequest(64)));
    } catch (error) {
      return { code: (error as { code: string }).code };
    } finally {
      await guest.do.close(fd);
    }
  };
  afterEach(async () => {
    await guest.host.request(DEVICE, 'fault-clear', {});
    expect(await transfer()).toMatchObject({ error: 0, mismatch: 64 });
    await expectHealthyHost();
  });

  test('a DMA error is reported by the device', async () => {
    await set({ kind: 'dma-error' }, {});
    const result = await transfer();
    expect('code' in result ? result.code : result.error).not.toBe(0);
  });

  test('a late interrupt still ends the transfer', async () => {
    await set({ kind: 'irq-late', ms: 200 }, {});
    expect(await transfer()).toMatchObject({ error: 0, mismatch: 64 });
  });

  test('a duplicate interrupt is harmless', async () => {
    await set({ kind: 'irq-duplicate' }, {});
    expect(await transfer()).toMatchObject({ error: 0, mismatch: 64 });
  });

  test('a lost interrupt makes the driver wait, not the host', async () => {
    await set({ kind: 'irq-lost' }, {});
    const result = await transfer();
    expect('code' in result ? result.code : result.interrupts).not.toBe(2);
  });
});
