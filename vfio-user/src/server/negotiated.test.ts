/** What VERSION agreed on holds for every later message. */
import { closeSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Client } from '../client/client.ts';
import type { ClientOptions } from '../client/connection.ts';
import { type Capabilities, RegionFlag } from '../protocol/index.ts';
import { connectLoopback, errnoOf, openDescriptors } from '../testing.ts';
import type { DeviceServerOptions } from './device-server.ts';
import { TestDevice } from './test-device.ts';

let device: TestDevice;
let client: Client;
let before: string[];

beforeEach(() => {
  before = openDescriptors();
  device = new TestDevice();
});
afterEach(() => {
  client.close();
  device.close();
  expect(openDescriptors()).toEqual(before);
});

function open(capabilities: Capabilities, options: ClientOptions & { server?: DeviceServerOptions } = {}) {
  ({ client } = connectLoopback(device, { capabilities, ...options }));
  return client;
}

const map = (address: bigint, size = 4096n) => client.dmaMap({ flags: 3, offset: 0n, address, size });

describe('descriptors', () => {
  test('a client that takes none sees no region it could map', () => {
    open({ max_msg_fds: 0 });
    expect(client.regionInfo(1)).toMatchObject({ fd: -1, flags: RegionFlag.READ | RegionFlag.WRITE });
  });

  test('a client that says nothing takes one', () => {
    open({});
    const { fd, flags } = client.regionInfo(1);
    expect(flags & RegionFlag.MMAP).toBe(RegionFlag.MMAP);
    expect(fd).toBeGreaterThan(0);
    closeSync(fd);
  });
});

describe('regions of guest memory', () => {
  test('the client has no more than it said', () => {
    open({ max_dma_maps: 2 });
    map(0n);
    map(4096n);
    expect(errnoOf(() => map(8192n))).toBe(22);
    expect(client.version.capabilities?.max_dma_maps).toBeUndefined();
  });

  test('it is told when the server takes fewer', () => {
    open({ max_dma_maps: 65_535 }, { server: { maxDmaMaps: 1 } });
    expect(client.version.capabilities?.max_dma_maps).toBe(1);
    map(0n);
    expect(errnoOf(() => map(4096n))).toBe(22);
  });

  test.each([
    ['an address', 0x1000_0001n, 4096n],
    ['a size', 0x1000_0000n, 3n],
  ])('%s that is no multiple of the page is refused', (_, address, size) => {
    open({ pgsizes: 2 ** 64 - 4096 });
    expect(errnoOf(() => map(address, size))).toBe(22);
    map(0x1000_0000n);
  });
});

test('a read of more than the client takes is refused', () => {
  open({ max_data_xfer_size: 32 });
  expect(client.regionRead(0, 0, 32)).toHaveLength(32);
  expect(errnoOf(() => client.regionRead(0, 0, 33))).toBe(22);
  client.regionWrite(0, 0, new Uint8Array(64));
});

test('many writes in one message are served although not agreed on: QEMU can be told to send them', () => {
  open({});
  expect(client.version.capabilities?.write_multiple).toBeUndefined();
  const data = Uint8Array.of(1);
  expect(client.writeMulti([{ region: 0, offset: 0, data }])).toBe(1);
});
