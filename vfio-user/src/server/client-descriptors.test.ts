import { closeSync, fstatSync } from 'node:fs';
import { eventfd, memfdCreate } from '@kata-mock/posix';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Errno, PciIrq } from '../protocol/index.ts';
import { connectLoopback, errnoOf, openDescriptors } from '../testing.ts';
import { ClientDescriptors, descriptorList } from './client-descriptors.ts';
import { TestDevice } from './test-device.ts';

let before: string[];
beforeEach(() => {
  before = openDescriptors();
});
afterEach(() => {
  expect(openDescriptors()).toEqual(before);
});

test('what one thread lists, and does not take out before it closes it, another one finds', () => {
  const list = descriptorList(1024);
  const thread = new ClientDescriptors(10, list);
  for (const fd of [3, 31, 32, 1023, 2000]) thread.add(fd);
  thread.remove(32);
  expect(thread.count).toBe(4);
  const other = new ClientDescriptors(10, list);
  expect(other.takeAll()).toEqual([3, 31, 1023]);
  expect(other.takeAll()).toEqual([]);
});

test('a client may leave so many descriptors and no more: ENOSPC, until it takes some away', () => {
  const device = new TestDevice();
  const descriptors = new ClientDescriptors(4, descriptorList(65_536));
  const { client } = connectLoopback(device, { server: { descriptors } });
  const memory = memfdCreate('ram', { size: 1 << 20, seal: true });
  const events = [eventfd(), eventfd()];
  const map = (page: number) =>
    client.dmaMap({ flags: 3, offset: 0n, address: BigInt(page) << 12n, size: 4096n }, memory);
  const interrupts = (start: number) =>
    client.setIrqs({ index: PciIrq.MSIX, start, count: 2, data: 'eventfd', action: 'trigger' }, events);
  for (let page = 0; page < 3; page++) map(page);
  expect(errnoOf(() => interrupts(0))).toBe(Errno.ENOSPC);
  map(3);
  expect(errnoOf(() => map(4))).toBe(Errno.ENOSPC);
  // Costs nothing: it is there, or has none.
  map(3);
  client.dmaMap({ flags: 1, offset: 0n, address: 0x10_0000n, size: 4096n });
  client.dmaUnmap(0n, 0x2000n);
  interrupts(0);
  expect(errnoOf(() => interrupts(2))).toBe(Errno.ENOSPC);
  client.setIrqs({ index: PciIrq.MSIX, start: 0, count: 0, data: 'none', action: 'trigger' });
  interrupts(2);
  expect(descriptors.count).toBe(4);
  client.close();
  expect(descriptors.count).toBe(0);
  for (const fd of [memory, ...events]) expect(fstatSync(fd).ino).toBeGreaterThan(0);
  for (const fd of [memory, ...events]) closeSync(fd);
  device.close();
});
