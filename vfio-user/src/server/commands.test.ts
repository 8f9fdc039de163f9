import { closeSync } from 'node:fs';
import { closeAll, eventfd, eventfdRead, eventfdWrite, mmap, setNonblocking } from '@kata-mock/posix';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Client } from '../client/client.ts';
import {
  Command,
  encodeDeviceInfo,
  encodeIoFdsRequest,
  encodeIrqInfo,
  encodeRegionAccess,
  encodeRegionInfoRequest,
  encodeSetIrqs,
  encodeWriteMulti,
  newPayload,
  PciIrq,
  type SetIrqs,
  viewOf,
} from '../protocol/index.ts';
import { connectLoopback, errnoOf, openDescriptors } from '../testing.ts';
import type { DeviceServer } from './device-server.ts';
import { TestDevice } from './test-device.ts';

const EINVAL = 22;
let device: TestDevice;
let client: Client;
let server: DeviceServer;
let before: string[];

beforeEach(() => {
  before = openDescriptors();
  device = new TestDevice();
  ({ client, server } = connectLoopback(device));
});

afterEach(() => {
  client.close();
  device.close();
  expect(openDescriptors()).toEqual(before);
});

const errno = (command: number, payload: Uint8Array, fds: number[] = []) =>
  errnoOf(() => client.request(command, payload, fds));

describe('DEVICE_GET_INFO', () => {
  test('tells of a PCI device that can be reset, with 9 regions and 5 interrupts', () => {
    expect(client.deviceInfo()).toEqual({ flags: 3, regions: 9, irqs: 5 });
  });

  test.each([8, 0, 15])('argsz %i is too little', (argsz) => {
    expect(errno(Command.DEVICE_GET_INFO, encodeDeviceInfo({ flags: 0, regions: 0, irqs: 0 }, argsz))).toBe(EINVAL);
  });

  test('more room than needed is answered with the 16 bytes there are', () => {
    const { payload } = client.request(
      Command.DEVICE_GET_INFO,
      encodeDeviceInfo({ flags: 0, regions: 0, irqs: 0 }, 32),
    );
    expect([payload.length, viewOf(payload).getUint32(0, true)]).toEqual([16, 16]);
  });
});

describe('DEVICE_GET_REGION_INFO', () => {
  test('a region that is not there has size 0 and no flags', () => {
    expect(client.regionInfo(3)).toMatchObject({ flags: 0, size: 0n, argsz: 32, fd: -1 });
    expect(client.regionInfo(8)).toMatchObject({ flags: 0, size: 0n });
  });

  test('a plain region can be read and written', () => {
    expect(client.regionInfo(0)).toMatchObject({ flags: 3, size: 64n, argsz: 32, fd: -1 });
  });

  test('without room for the areas there is no descriptor either', () => {
    const reply = client.request(Command.DEVICE_GET_REGION_INFO, encodeRegionInfoRequest(1));
    expect(reply.fds).toEqual([]);
    expect(viewOf(reply.payload).getUint32(0, true)).toBe(80);
    expect(viewOf(reply.payload).getUint32(4, true)).toBe(7);
  });

  test("a mapped region shows the device's memory", () => {
    const info = client.regionInfo(1);
    expect(info).toMatchObject({ flags: 15, size: 0x8000n, offset: 0x8000n });
    expect(info.areas).toEqual([
      { offset: 0x1000, size: 0x1000 },
      { offset: 0x4000, size: 0x2000 },
    ]);
    const theirs = mmap(info.fd, 0x1000, { offset: 0x9000 });
    const ours = mmap(device.memoryFd, 0x10000);
    ours.bytes[0x9000] = 0xaa;
    expect(theirs.bytes[0]).toBe(0xaa);
    closeSync(info.fd);
  });

  test.each([
    ['argsz 8', encodeRegionInfoRequest(0, 8)],
    ['region 9', encodeRegionInfoRequest(9)],
    ['region 2^32 - 1', encodeRegionInfoRequest(0xffff_ffff)],
    ['a short payload', new Uint8Array(31)],
  ])('%s is refused', (_, payload) => {
    expect(errno(Command.DEVICE_GET_REGION_INFO, payload)).toBe(EINVAL);
  });
});

describe('DEVICE_GET_REGION_IO_FDS', () => {
  test('sends each descriptor once and tells which entry has which', () => {
    const { count, entries, fds } = client.regionIoFds(2);
    expect(count).toBe(4);
    expect(fds).toHaveLength(2);
    expect(entries.map(({ fdIndex, type }) => [fdIndex, type])).toEqual([
      [0, 0],
      [0, 0],
      [0xffffffff, 0],
      [0, 2],
    ]);
    expect(entries[1]).toMatchObject({ offset: 8n, size: 4n, datamatch: 5n, flags: 1 });
    expect(entries[3]).toMatchObject({ shadowFdIndex: 1, shadowOffset: 64n });
    eventfdRead(device.doorbellFd);
    closeAll(fds);
  });

  test('with too little room there are a count and the room needed, nothing else', () => {
    expect(client.regionIoFds(2, 16)).toMatchObject({ count: 4, argsz: 16 + 4 * 48, entries: [], fds: [] });
  });

  test('a region without any has none', () => {
    expect(client.regionIoFds(0)).toMatchObject({ count: 0, argsz: 16, entries: [], fds: [] });
  });

  const bad = (change: (view: DataView) => void) => {
    const payload = encodeIoFdsRequest(2, 1024);
    change(viewOf(payload));
    return payload;
  };
  test.each([
    ['flags', bad((view) => view.setUint32(4, 1, true))],
    ['a count', bad((view) => view.setUint32(12, 1, true))],
    ['argsz 15', encodeIoFdsRequest(2, 15)],
    ['argsz above 1 MiB', encodeIoFdsRequest(2, (1 << 20) + 1)],
    ['a region that is not there', encodeIoFdsRequest(3, 1024)],
    ['region 512', encodeIoFdsRequest(512, 1024)],
  ])('%s is refused', (_, payload) => {
    expect(errno(Command.DEVICE_GET_REGION_IO_FDS, payload)).toBe(EINVAL);
  });
});

describe('DEVICE_GET_IRQ_INFO', () => {
  test.each([
    [PciIrq.INTX, 7, 1],
    [PciIrq.MSI, 1, 4],
    [PciIrq.MSIX, 1, 8],
    [PciIrq.ERR, 1, 1],
    [PciIrq.REQ, 1, 1],
  ])('index %i', (index, flags, count) => {
    expect(client.irqInfo(index)).toEqual({ index, flags, count });
  });

  test.each([
    ['index 5', encodeIrqInfo({ flags: 0, index: 5, count: 0 })],
    ['argsz 8', encodeIrqInfo({ flags: 0, index: 0, count: 0 }, 8)],
    ['a short payload', new Uint8Array(12)],
  ])('%s is refused', (_, payload) => {
    expect(errno(Command.DEVICE_GET_IRQ_INFO, payload)).toBe(EINVAL);
  });
});

describe('DEVICE_SET_IRQS', () => {
  const set = (changes: Partial<SetIrqs>): SetIrqs => ({
    index: PciIrq.MSIX,
    start: 0,
    count: 1,
    data: 'eventfd',
    action: 'trigger',
    ...changes,
  });
  const raw = (change: (view: DataView) => void) => {
    const payload = encodeSetIrqs(set({ data: 'none' }));
    change(viewOf(payload));
    return payload;
  };
  const eventfds = (count: number) => Array.from({ length: count }, () => eventfd());

  test('a vector fires the eventfd it was given, and a replaced one no more', () => {
    const [first, second] = eventfds(2);
    client.setIrqs(set({ start: 3 }), [first!]);
    server.irqs.trigger(PciIrq.MSIX, 3);
    client.setIrqs(set({ start: 3 }), [second!]);
    server.irqs.trigger(PciIrq.MSIX, 3);
    server.irqs.trigger(PciIrq.MSIX, 3);
    expect([eventfdRead(first!), eventfdRead(second!)]).toEqual([1n, 2n]);
    closeAll([first!, second!]);
  });

  test('a client that fills a counter and makes it blocking does not stop the server', () => {
    const [trigger, unmask] = eventfds(2);
    client.setIrqs(set({}), [trigger!]);
    client.setIrqs(set({ index: PciIrq.INTX, action: 'unmask' }), [unmask!]);
    eventfdWrite(trigger!, 0xffff_ffff_ffff_fffen);
    for (const fd of [trigger!, unmask!]) setNonblocking(fd, false);
    for (let count = 0; count < 3; count++) server.irqs.trigger(PciIrq.MSIX, 0);
    // It was readable, and the client was quicker.
    server.irqs.resampled(server.irqs.unmaskFds()[0]!);
    closeAll([trigger!, unmask!]);
  });

  test('taking away a range that starts above 0 takes just that range', () => {
    const fds = eventfds(4);
    client.setIrqs(set({ count: 4 }), fds);
    client.setIrqs(set({ start: 2, count: 2 }));
    expect([0, 1, 2, 3].map((vector) => server.irqs.trigger(PciIrq.MSIX, vector))).toEqual([
      'fired',
      'fired',
      'pending',
      'pending',
    ]);
    closeAll(fds);
  });

  test('a vector triggered before it has an eventfd fires when it gets one', () => {
    const fd = eventfd();
    client.setIrqs(set({}));
    expect(server.irqs.trigger(PciIrq.MSIX, 5)).toBe('pending');
    client.setIrqs(set({ start: 5 }), [fd]);
    expect(eventfdRead(fd)).toBe(1n);
    closeSync(fd);
  });

  test('a trigger of a vector that does not exist, or of an index that is off, does nothing', () => {
    const fd = eventfd();
    expect(server.irqs.trigger(PciIrq.MSIX, 0)).toBe('disabled');
    client.setIrqs(set({}), [fd]);
    expect(server.irqs.trigger(PciIrq.MSIX, 8)).toBe('disabled');
    expect(server.irqs.trigger(9, 0)).toBe('disabled');
    expect([eventfdRead(fd), server.irqs.pending()]).toEqual([0n, []]);
    closeSync(fd);
  });

  test('count 0 turns the index off', () => {
    const fd = eventfd();
    client.setIrqs(set({}), [fd]);
    client.setIrqs(set({ data: 'none', count: 0 }));
    expect(server.irqs.trigger(PciIrq.MSIX, 0)).toBe('disabled');
    closeSync(fd);
  });

  test('each index has its own eventfds', () => {
    const [msix, msi] = eventfds(2);
    client.setIrqs(set({}), [msix!]);
    client.setIrqs(set({ index: PciIrq.MSI }), [msi!]);
    client.setIrqs(set({ data: 'none', count: 0 }));
    expect(server.irqs.trigger(PciIrq.MSI, 0)).toBe('fired');
    closeAll([msix!, msi!]);
  });

  test('the client can fire a range, or the true ones of a list', () => {
    const fds = eventfds(4);
    client.setIrqs(set({ count: 4 }), fds);
    client.setIrqs(set({ start: 1, count: 2, data: 'none' }));
    client.setIrqs(set({ count: 4, data: 'bool', bools: [true, false, true, false] }));
    expect(fds.map((fd) => eventfdRead(fd))).toEqual([1n, 1n, 2n, 0n]);
    closeAll(fds);
  });

  test('a masked vector stays pending and fires once when unmasked', () => {
    const fd = eventfd();
    client.setIrqs(set({}), [fd]);
    client.setIrqs(set({ data: 'none', action: 'mask' }));
    server.irqs.trigger(PciIrq.MSIX, 0);
    server.irqs.trigger(PciIrq.MSIX, 0);
    expect(eventfdRead(fd)).toBe(0n);
    client.setIrqs(set({ data: 'bool', bools: [true], action: 'unmask' }));
    expect(eventfdRead(fd)).toBe(1n);
    closeSync(fd);
  });

  test('an unmask eventfd unmasks (KVM resample)', () => {
    const [fire, unmask] = eventfds(2);
    client.setIrqs(set({ index: PciIrq.INTX }), [fire!]);
    client.setIrqs(set({ index: PciIrq.INTX, action: 'unmask' }), [unmask!]);
    client.setIrqs(set({ index: PciIrq.INTX, data: 'none', action: 'mask' }));
    server.irqs.trigger(PciIrq.INTX, 0);
    expect(server.irqs.unmaskFds()).toHaveLength(1);
    server.irqs.resampled(server.irqs.unmaskFds()[0]!);
    expect(eventfdRead(fire!)).toBe(1n);
    closeAll([fire!, unmask!]);
  });

  test.each([
    ['a short payload', new Uint8Array(19)],
    ['argsz 19', raw((view) => view.setUint32(0, 19, true))],
    ['index 5', encodeSetIrqs(set({ index: 5, data: 'none' }))],
    ['no action', raw((view) => view.setUint32(4, 0x01, true))],
    ['two actions', raw((view) => view.setUint32(4, 0x29, true))],
    ['no data type', raw((view) => view.setUint32(4, 0x20, true))],
    ['two data types', raw((view) => view.setUint32(4, 0x23, true))],
    ['an unknown flag', raw((view) => view.setUint32(4, 0x61, true))],
    ['a start outside', encodeSetIrqs(set({ start: 8, data: 'none' }))],
    ['an end outside', encodeSetIrqs(set({ start: 7, count: 2, data: 'none' }))],
    ['start 284 and count 2^32 - 1', encodeSetIrqs(set({ start: 284, count: 0xffff_ffff, data: 'none' }))],
    ['count 0 with a start', encodeSetIrqs(set({ start: 1, count: 0, data: 'none' }))],
    ['count 0 with MASK', encodeSetIrqs(set({ count: 0, data: 'none', action: 'mask' }))],
    ['count 0 with eventfds', encodeSetIrqs(set({ count: 0 }))],
    ['masking the error interrupt', encodeSetIrqs(set({ index: PciIrq.ERR, data: 'none', action: 'mask' }))],
    ['too few bools', encodeSetIrqs(set({ count: 3, data: 'bool', bools: [true, true] }))],
    ['too many bools', encodeSetIrqs(set({ count: 1, data: 'bool', bools: [true, true] }))],
    ['an eventfd on MASK', encodeSetIrqs(set({ action: 'mask' }))],
  ])('%s is refused', (_, payload) => {
    expect(errno(Command.DEVICE_SET_IRQS, payload)).toBe(EINVAL);
  });

  test('a wrong number of descriptors, or some that are not wanted, are refused and closed', () => {
    const fds = eventfds(2);
    expect(errno(Command.DEVICE_SET_IRQS, encodeSetIrqs(set({ count: 3 })), fds)).toBe(EINVAL);
    expect(errno(Command.DEVICE_SET_IRQS, encodeSetIrqs(set({ data: 'none' })), fds)).toBe(EINVAL);
    closeAll(fds);
  });

  test('what is no eventfd is refused: signalling it could block', () => {
    expect(errno(Command.DEVICE_SET_IRQS, encodeSetIrqs(set({})), [device.memoryFd])).toBe(EINVAL);
  });
});

describe('REGION_READ and REGION_WRITE', () => {
  test('read what is there and write what is given', () => {
    client.regionWrite(0, 5, Uint8Array.of(1, 2, 3));
    expect([...client.regionRead(0, 4, 5)]).toEqual([4, 1, 2, 3, 8]);
    expect(device.bar0.writes).toEqual([[5, [1, 2, 3]]]);
  });

  test('a whole region can be read at once', () => {
    expect(client.regionRead(1, 0, 0x8000)).toEqual(device.bar1.bytes);
  });

  test('count 0 is fine and does nothing', () => {
    expect(client.regionRead(0, 64, 0)).toHaveLength(0);
    client.regionWrite(0, 64, new Uint8Array(0));
    expect(device.bar0.writes).toEqual([]);
  });

  const access = (offset: bigint, region: number, count: number, data = 0) => {
    const { bytes, view } = newPayload(16 + data);
    view.setBigUint64(0, offset, true);
    view.setUint32(8, region, true);
    view.setUint32(12, count, true);
    return bytes;
  };
  test.each([
    ['past the end', access(61n, 0, 4)],
    ['at 2^64 - 1', access((1n << 64n) - 1n, 0, 256)],
    ['at 2^53', access(1n << 53n, 0, 1)],
    ['of more than 1 MiB', access(0n, 0, (1 << 20) + 1)],
    ['of 2^32 - 1 bytes', access(0n, 0, 0xffff_ffff)],
    ['of region 9', access(0n, 9, 4)],
    ['of a region that is not there', access(0n, 4, 4)],
    ['of 12 bytes of payload', new Uint8Array(12)],
  ])('a read %s is refused', (_, payload) => {
    expect(errno(Command.REGION_READ, payload)).toBe(EINVAL);
  });

  test.each([
    ['an 8-byte payload', new Uint8Array(8)],
    ['less data than it says', access(0n, 0, 8, 4)],
    ['more data than it says', access(0n, 0, 4, 8)],
    ['an end outside', encodeRegionAccess({ offset: 62, region: 0, count: 4 }, new Uint8Array(4))],
  ])('a write with %s is refused', (_, payload) => {
    expect(errno(Command.REGION_WRITE, payload)).toBe(EINVAL);
    expect(device.bar0.writes).toEqual([]);
  });
});

describe('REGION_WRITE_MULTI', () => {
  test('carries out all writes in order and counts them', () => {
    const writes = [
      { offset: 0, region: 0, data: Uint8Array.of(1) },
      { offset: 8, region: 0, data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) },
      { offset: 0, region: 0, data: Uint8Array.of(9, 9) },
    ];
    expect(client.writeMulti(writes)).toBe(3);
    expect(device.bar0.writes.map(([offset, data]) => [offset, data.length])).toEqual([
      [0, 1],
      [8, 8],
      [0, 2],
    ]);
  });

  test('stops at the first write that is refused', () => {
    const good = { offset: 0, region: 0, data: Uint8Array.of(1) };
    expect(client.writeMulti([good, { ...good, offset: 64 }, good])).toBe(1);
    expect(errno(Command.REGION_WRITE_MULTI, encodeWriteMulti([{ ...good, region: 4 }]))).toBe(EINVAL);
  });

  const counted = (count: bigint, entries: number) => {
    const { bytes, view } = newPayload(8 + entries * 24);
    view.setBigUint64(0, count, true);
    return bytes;
  };
  test.each([
    ['more entries than it has', counted(2n, 1)],
    ['fewer entries than it has', counted(1n, 2)],
    ['2^64 - 1 entries', counted((1n << 64n) - 1n, 1)],
    ['entries of 0 bytes', counted(1n, 1)],
    [
      'entries of 9 bytes',
      encodeWriteMulti([{ offset: 0, region: 0, data: new Uint8Array(8) }]).map((byte, at) => (at === 20 ? 9 : byte)),
    ],
  ])('%s: refused, nothing is written', (_, payload) => {
    expect(errno(Command.REGION_WRITE_MULTI, payload)).toBe(EINVAL);
    expect(device.bar0.writes).toEqual([]);
  });
});
