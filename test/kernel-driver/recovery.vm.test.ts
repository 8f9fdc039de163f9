import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { injectAer } from '../support/bare-guest/aer.ts';
import { BareGuest } from '../support/bare-guest/bare-guest.ts';
import { DMA_TEST, dmaRequest, readDma } from './ioctls.ts';

const MOCK = '/sys/class/mock-accel/mock0';
/** Bits of the uncorrectable error status (PCI Express Base Specification, 7.8.4.2). */
const COMPLETION_TIMEOUT = 1 << 14;
const UNSUPPORTED_REQUEST = 1 << 20;

let guest: BareGuest;

beforeAll(async () => {
  guest = await BareGuest.boot({ devices: [{}] });
  for (const module of ['mock-accel', 'aer_inject']) {
    expect(await guest.do.run(['modprobe', module])).toMatchObject({ status: 0 });
  }
});
afterAll(() => guest?.stop());

async function inject(uncorrectable: number): Promise<void> {
  const address = (await guest.do.realpath(`${MOCK}/device`)).split('/').at(-1)!;
  await injectAer(guest, address, { uncorrectable });
}

const recoveries = async () =>
  ((await guest.do.run(['dmesg'])).stdout.match(/mock0: recovered from a PCI error/g) ?? []).length;

// Fatal errors need a reset of the link, after which QEMU's root port never reports it as active again.
describe('recovery from PCI errors that are not fatal', () => {
  it.each([
    ['a completion timeout', COMPLETION_TIMEOUT],
    ['an unsupported request', UNSUPPORTED_REQUEST],
    ['a second completion timeout', COMPLETION_TIMEOUT],
  ])('goes on after %s', async (_what, error) => {
    const before = await recoveries();
    await inject(error);
    await expect.poll(recoveries, { timeout: 30_000 }).toBe(before + 1);
    const fd = await guest.do.open('/dev/mock0', 'r+');
    const test = readDma(await guest.do.ioctl(fd, DMA_TEST, dmaRequest(4096)));
    expect(test, 'bus mastering and interrupts are back').toMatchObject({ error: 0, mismatch: 4096, interrupts: 2 });
    await guest.do.close(fd);
  });
});
