import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BareGuest } from '../support/bare-guest/bare-guest.ts';
import { DMA_TEST, dmaRequest, readDma } from './ioctls.ts';

/** Of the stalling device. */
const ID = 'd0.0';
/** Guest memory by descriptor, so that the device can reach it at any moment. */
const SHARED = ['-object', 'memory-backend-memfd,id=m,size=512M,share=on', '-machine', 'memory-backend=m'];

let guest: BareGuest;
let pci: string;

beforeAll(async () => {
  const modules = [new URL('stalling-device.ts', import.meta.url).href];
  guest = await BareGuest.boot({ devices: [], modules, qemu: SHARED });
  expect(await guest.do.run(['modprobe', 'mock-accel'])).toMatchObject({ status: 0 });
  pci = await guest.do.realpath('/sys/class/mock-accel/mock0/device');
});
afterAll(() => guest?.stop());

/** One DMA test: its result, or the errno's name; and how long it took, ms. */
async function transfer() {
  const fd = await guest.do.open('/dev/mock0', 'r+');
  const begin = performance.now();
  const outcome = await guest.do.ioctl(fd, DMA_TEST, dmaRequest(64)).then(
    (bytes) => readDma(bytes),
    (error) => error.code as string,
  );
  const ms = performance.now() - begin;
  await guest.do.close(fd);
  return { outcome, ms };
}

const WORKS = { error: 0, mismatch: 64, interrupts: 2 };
const ask = (request: string, parameters: object = {}) => guest.host.request(ID, request, { ...parameters });
const bind = (what: 'bind' | 'unbind') =>
  guest.do.write(`/sys/bus/pci/drivers/mock-accel/${what}`, pci.split('/').at(-1)!);

describe('a device that does not end a DMA command', () => {
  it('gets the bus back at once when it stops as soon as it has lost it', async () => {
    expect((await transfer()).outcome).toMatchObject(WORKS);
    await ask('stall', { until: 'bus master off' });
    const { outcome, ms } = await transfer();
    expect(outcome).toBe('ETIMEDOUT');
    expect(ms).toBeGreaterThan(4500);
    await ask('go');
    expect((await transfer()).outcome).toMatchObject(WORKS);
  });

  it('cannot reach the memory that the driver gave back, and no other test is started', async () => {
    await ask('stall', { until: 'told' });
    expect((await transfer()).outcome).toBe('ETIMEDOUT');
    expect(await ask('late')).toMatch(/bus mastering is off/);
    const { outcome, ms } = await transfer();
    expect(outcome).toBe('EBUSY');
    expect(ms, 'refused before it is started').toBeLessThan(4500);
  });

  it('stays off the bus when a driver is bound anew', async () => {
    await bind('unbind');
    await bind('bind');
    expect(await ask('late')).toMatch(/bus mastering is off/);
    expect((await transfer()).outcome).toBe('EBUSY');
  });

  it('works again after a reset', async () => {
    await ask('go');
    await guest.do.write(`${pci}/reset`, '1');
    expect((await transfer()).outcome).toMatchObject(WORKS);
    expect(await ask('late'), 'so the refusals above were no accident').toBe('reached');
    const { stdout } = await guest.do.run(['dmesg']);
    expect(stdout).toContain('DMA does not end: bus mastering is off until a reset');
    expect(stdout).not.toMatch(/BUG|WARNING|Call Trace|Oops/);
  });
});
