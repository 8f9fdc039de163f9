import { afterAll, beforeAll, expect, test } from 'vitest';
import { DMA_TEST, dmaRequest, readDma } from '../kernel-driver/ioctls.ts';
import { BareGuest } from '../support/bare-guest/bare-guest.ts';
let guest: BareGuest;
beforeAll(async () => {
  guest = await BareGuest.boot({ devices: [{ uuid: 'DMA', memorySize: '1G' }] });
  expect(await guest.do.run(['modprobe', 'mock-accel'])).toMatchObject({ status: 0 });
});
afterAll(() => guest?.stop());
test('x', async () => {
  await guest.host.request('d0.0', 'trace-start', { file: '/tmp/vfu/dma.pcapng' });
  const fd = await guest.do.open('/dev/mock0', 'r+');
  console.log(readDma(await guest.do.ioctl(fd, DMA_TEST, dmaRequest(64, 4096))));
  await guest.host.request('d0.0', 'trace-stop');
});
