import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DMA_TEST, dmaRequest, readDma } from '../kernel-driver/ioctls.ts';
import { BareGuest } from '../support/bare-guest/bare-guest.ts';

const shared = ['-object', 'memory-backend-memfd,id=m,size=512M,share=on', '-machine', 'memory-backend=m'];
const MAP_SHARED = 1;
const LENGTHS = [1, 64, 4097, 2 ** 20];

describe.each([
  ['by messages, when the guest shares no memory', []],
  ['in shared memory', shared],
])('guest memory is reached %s', (_, qemu) => {
  let guest: BareGuest;
  beforeAll(async () => {
    guest = await BareGuest.boot({ devices: [{ uuid: 'DMA', aperture: '1M' }], qemu });
    expect(await guest.do.run(['modprobe', 'mock-accel'])).toMatchObject({ status: 0 });
  });
  afterAll(() => guest?.stop());

  test.each(LENGTHS)('%i bytes come back as they went, with one MSI-X interrupt each way', async (length) => {
    const fd = await guest.do.open('/dev/mock0', 'r+');
    const result = readDma(await guest.do.ioctl(fd, DMA_TEST, dmaRequest(length, 4096)));
    await guest.do.close(fd);
    expect(result).toMatchObject({ error: 0, mismatch: length, interrupts: 2 });
    expect(await guest.host.request('d0.0', 'stats')).toMatchObject({ refusals: 0 });
  });

  test('the aperture is device memory: what DMA wrote can be read in the mapping', async () => {
    const fd = await guest.do.open('/dev/mock0', 'r+');
    await guest.do.ioctl(fd, DMA_TEST, dmaRequest(64, 8192));
    const mapping = await guest.do.map(fd, 1 << 20, 0, MAP_SHARED);
    const bytes = Buffer.from(await guest.do.peek(mapping, 8192, 64), 'base64');
    expect(bytes.some((byte) => byte !== 0)).toBe(true);
    await guest.do.poke(mapping, 0x4000, Buffer.from('written by the guest').toString('base64'));
    expect(Buffer.from(await guest.do.peek(mapping, 0x4000, 20), 'base64').toString()).toBe('written by the guest');
    await guest.do.unmap(mapping);
    await guest.do.close(fd);
  });
});
