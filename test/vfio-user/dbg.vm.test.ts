import { afterAll, beforeAll, test } from 'vitest';
import { BareGuest } from '../support/bare-guest/bare-guest.ts';
let guest: BareGuest;
beforeAll(async () => {
  guest = await BareGuest.boot({ devices: [{ uuid: 'FAULTY', msix: false, intx: true }], onClientGone: 'relisten' });
  await guest.do.run(['modprobe', 'mock-accel']);
});
afterAll(() => guest?.stop());
test('x', async () => {
  guest.host.on('connected', (id) => console.log('connected', id, performance.now()));
  guest.host.on('disconnected', (id) => console.log('disconnected', id, performance.now()));
  await guest.replug(0);
  console.log('replugged', performance.now());
  for (let i = 0; i < 12; i++) {
    await new Promise((r) => setTimeout(r, 1500));
    console.log(i, await guest.do.list('/sys/class/mock-accel'), (await guest.do.list('/sys/bus/pci/devices')).join(' '));
  }
  console.log((await guest.do.run(['dmesg'])).stdout.split('\n').slice(-25).join('\n'));
  console.log(JSON.stringify(await guest.qmp('query-pci')).slice(0, 3000));
});
