import { closeSync } from 'node:fs';
import { eventfd, eventfdRead } from '@kata-mock/posix';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import type { Client } from '../client/client.ts';
import { PciIrq, PciRegion } from '../protocol/index.ts';
import { codeOf, connectLoopback } from '../testing.ts';
import {
  advancedErrorReporting,
  deviceSerialNumber,
  sriov,
  vendorSpecific,
  vendorSpecificExtended,
} from './capabilities/index.ts';
import { PciFunction, type PciFunctionOptions } from './pci-function.ts';
import { RegisterBlock } from './registers/register-block.ts';

const CONFIG = PciRegion.CONFIG;
const memory = (size: number) => new RegisterBlock({ size: String(size), registers: [] });
let client: Client | undefined;

function open(options: Partial<PciFunctionOptions> = {}) {
  const fn = new PciFunction({ vendor: 0x1234, device: 0x5678, ...options });
  const connected = connectLoopback(fn);
  client = connected.client;
  return { ...connected, fn };
}

afterEach(() => {
  client?.close();
  client = undefined;
});

const read = (offset: number, bytes: 1 | 2 | 4) =>
  Buffer.from(client!.regionRead(CONFIG, offset, bytes)).readUIntLE(0, bytes);
const write = (offset: number, bytes: 1 | 2 | 4, value: number) => {
  const data = Buffer.alloc(bytes);
  data.writeUIntLE(value, 0, bytes);
  client!.regionWrite(CONFIG, offset, data);
};

/** Ids and offsets of the standard list. */
function capabilities() {
  const found: [number, number][] = [];
  for (let at = read(0x34, 1); at !== 0; at = read(at + 1, 1)) found.push([read(at, 1), at]);
  return found;
}

/** Ids, versions and offsets of the extended list. */
function extended() {
  const found: [number, number, number][] = [];
  for (let at = 0x100; at !== 0; ) {
    const header = read(at, 4);
    if (header === 0) break;
    found.push([header & 0xffff, (header >> 16) & 0xf, at]);
    at = header >>> 20;
  }
  return found;
}

const offsetOf = (id: number) => capabilities().find(([found]) => found === id)![1];

describe('configuration space', () => {
  test('shows the identity', () => {
    open({ classCode: 0x030200, revision: 7, subsystemVendor: 0xaaaa, subsystem: 0xbbbb });
    expect([read(0, 2), read(2, 2), read(8, 4), read(0x2c, 4), read(0x0e, 1)]).toEqual([
      0x1234, 0x5678, 0x03020007, 0xbbbbaaaa, 0,
    ]);
  });

  test('any write of any width at any place succeeds and leaves the identity alone', () => {
    open({ interrupts: { intx: true, msi: 4, msix: { vectors: 4, bar: 4, tableOffset: 0, pbaOffset: 0x800 } } });
    const before = [read(0, 4), read(8, 4), read(0x2c, 4), read(0x34, 1), capabilities()];
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4092 }),
        fc.constantFrom(1, 2, 4),
        fc.nat(0xffff_ffff),
        (at, bytes, value) => {
          const width = bytes as 1 | 2 | 4;
          write(at, width, value & (2 ** (width * 8) - 1) || 0 ? value % 2 ** (width * 8) : 0);
        },
      ),
    );
    expect([read(0, 4), read(8, 4), read(0x2c, 4), read(0x34, 1), capabilities()]).toEqual(before);
  });

  test('there is no ROM, whatever is written to its register', () => {
    open();
    for (const value of [0xfffff800, 0xfffffffe, 0xffffffff, 1]) {
      write(0x30, 4, value);
      expect(read(0x30, 4)).toBe(0);
    }
  });

  test('the command register keeps what a guest needs, in any width', () => {
    open();
    write(0x04, 2, 0xffff);
    expect(read(0x04, 2)).toBe(0x0547);
    write(0x04, 4, 0x0000_0103);
    expect(read(0x04, 2)).toBe(0x0103);
  });

  test('bus mastering follows the command register', () => {
    const { server } = open();
    expect(server.dma.enabled).toBe(false);
    write(0x04, 2, 0x0006);
    expect(server.dma.enabled).toBe(true);
    client!.reset();
    expect(server.dma.enabled).toBe(false);
  });
});

describe('BARs', () => {
  test.each([
    [4096, 0xfffff004, 0xffffffff],
    [16384, 0xffffc004, 0xffffffff],
    [2 ** 32, 0x00000004, 0xffffffff],
    [2 ** 34, 0x00000004, 0xfffffffc],
  ])('a 64-bit BAR of %i bytes is sized', (size, low, high) => {
    open({ bars: { 0: { region: { size, read: () => {}, write: () => {} } } } });
    write(0x10, 4, 0xffffffff);
    write(0x14, 4, 0xffffffff);
    expect([read(0x10, 4), read(0x14, 4)]).toEqual([low, high]);
    expect(client!.regionInfo(0).size).toBe(BigInt(size));
    expect(client!.regionInfo(1).size).toBe(0n);
  });

  test('32-bit, prefetchable and I/O BARs show their type', () => {
    open({
      bars: {
        0: { kind: 'memory32', region: memory(8192) },
        1: { kind: 'io', region: memory(64) },
        2: { prefetchable: true, region: memory(4096) },
      },
    });
    for (const at of [0x10, 0x14, 0x18]) write(at, 4, 0xffffffff);
    expect([read(0x10, 4), read(0x14, 4), read(0x18, 4)]).toEqual([0xffffe000, 0xffffffc1, 0xfffff00c]);
    expect(read(0x20, 4)).toBe(0);
  });

  test.each([
    ['a size that is no power of two', { 0: { region: memory(5000) } }],
    ['a memory BAR of 8 bytes', { 0: { region: memory(8) } }],
    ['an I/O BAR of 512 bytes', { 0: { kind: 'io' as const, region: memory(512) } }],
    ['a 64-bit BAR at an odd number', { 1: { region: memory(4096) } }],
    [
      'a BAR in the upper half of a 64-bit one',
      { 0: { region: memory(4096) }, 1: { kind: 'io' as const, region: memory(64) } },
    ],
    ['a BAR 6', { 6: { region: memory(4096) } }],
    ['a BAR 8', { 8: { region: memory(4096) } }],
    ['a BAR -2', { [-2]: { region: memory(4096) } }],
  ])('%s is refused', (_, bars) => {
    expect(codeOf(() => new PciFunction({ vendor: 1, device: 1, bars }))).toBe('INVALID_OPTION');
  });
});

describe('capabilities', () => {
  test('are linked, aligned and in order', () => {
    open({
      interrupts: { msi: 4, msix: { vectors: 4, bar: 4, tableOffset: 0, pbaOffset: 0x800 } },
      capabilities: [vendorSpecific(Uint8Array.of(1, 2, 3)), vendorSpecific(Uint8Array.of(9))],
      extendedCapabilities: [
        deviceSerialNumber(0x1122334455667788n),
        advancedErrorReporting(),
        vendorSpecificExtended(5, 1, Uint8Array.of(1, 2)),
      ],
    });
    expect(capabilities().map(([id]) => id)).toEqual([0x01, 0x10, 0x05, 0x11, 0x09, 0x09]);
    expect(capabilities().every(([, at]) => at % 4 === 0)).toBe(true);
    expect(read(0x06, 2) & 0x10).toBe(0x10);
    expect(extended().map(([id, version]) => [id, version])).toEqual([
      [3, 1],
      [1, 2],
      [0x0b, 1],
    ]);
    expect([read(0x104, 4), read(0x108, 4)]).toEqual([0x55667788, 0x11223344]);
  });

  test('a list that does not fit is refused', () => {
    const many = Array.from({ length: 40 }, () => vendorSpecific(new Uint8Array(20)));
    expect(codeOf(() => new PciFunction({ vendor: 1, device: 1, capabilities: many }))).toBe('INVALID_OPTION');
  });

  test('power states are kept, in a write of two or four bytes', () => {
    open();
    const pm = offsetOf(0x01);
    write(pm + 4, 2, 0x0003);
    expect(read(pm + 4, 2)).toBe(0x000b);
    write(pm + 4, 4, 0);
    expect(read(pm + 4, 2)).toBe(0x0008);
  });

  test('MSI cannot be given more vectors than it has', () => {
    open({ interrupts: { msi: 4 } });
    const msi = offsetOf(0x05);
    write(msi + 2, 2, 0x0071);
    expect(read(msi + 2, 2)).toBe(0x00a5);
  });

  test.each([0.5, 3, 5, 33, 64, -1])('MSI with %d vectors is refused', (msi) => {
    expect(codeOf(() => new PciFunction({ vendor: 1, device: 1, interrupts: { msi } }))).toBe('INVALID_OPTION');
  });

  const table = { vectors: 4, bar: 4, tableOffset: 0, pbaOffset: 0x800 };

  test.each([
    ['no vector', { vectors: 0 }],
    ['more vectors than there can be', { vectors: 2049, pbaOffset: 0x10000 }],
    ['half a vector', { vectors: 1.5 }],
    ['a BAR that is none', { bar: 6 }],
    ['a BAR that is the upper half of another', { bar: 1 }],
    ['a table at an odd place', { tableOffset: 4 }],
    ['pending bits at an odd place', { pbaOffset: 0x804 }],
    ['a place before the BAR', { pbaOffset: -8 }],
    ['a place beyond 4 GiB', { pbaOffset: 2 ** 32 }],
    ['a table over its pending bits', { vectors: 129 }],
    ['pending bits in the middle of the table', { vectors: 2048, pbaOffset: 0x4000 }],
    ['pending bits far beyond any table', { pbaOffset: 1 << 24 }],
    ['a table that leaves the BAR that is there', { bar: 0, vectors: 128, pbaOffset: 0x1000 }],
    ['a table in I/O space', { bar: 2, vectors: 1, pbaOffset: 16 }],
  ])('MSI-X with %s is refused', (_, change) => {
    const bars = { 0: { region: memory(4096) }, 2: { kind: 'io' as const, region: memory(256) } };
    const options = { vendor: 1, device: 1, bars, interrupts: { msix: { ...table, ...change } } };
    expect(codeOf(() => new PciFunction(options))).toBe('INVALID_OPTION');
  });

  test.each([
    ['four vectors', table, 4096],
    ['the most vectors there can be', { vectors: 2048, bar: 4, tableOffset: 0, pbaOffset: 0x8000 }, 0x10000],
  ])('the BAR made for %s is as large as they need', (_, msix, size) => {
    open({ interrupts: { msix } });
    expect(client!.regionInfo(4).size).toBe(BigInt(size));
    const last = msix.vectors - 1;
    expect(client!.read32(4, last * 16 + 12)).toBe(1);
  });

  test('of MSI-X control only enable and mask can be written, at either byte', () => {
    open({ interrupts: { msix: { vectors: 4, bar: 4, tableOffset: 0, pbaOffset: 0x800 } } });
    const msix = offsetOf(0x11);
    write(msix + 2, 2, 0xffff);
    expect(read(msix + 2, 2)).toBe(0xc003);
    write(msix + 3, 1, 0);
    expect(read(msix + 2, 2)).toBe(0x0003);
  });

  test('AER status bits clear by writing ones, masks are plain', () => {
    const { fn } = open({ extendedCapabilities: [advancedErrorReporting()] });
    fn.config.view.setUint32(0x104, 0x4010, true);
    write(0x104, 4, 0x4000);
    expect(read(0x104, 4)).toBe(0x10);
    write(0x108, 4, 0xffffffff);
    expect(read(0x108, 4)).toBe(0x05fff030);
  });

  test('SR-IOV sizes the VF BAR and tells when VFs come and go', () => {
    const changes: number[] = [];
    open({
      extendedCapabilities: [
        sriov({ totalVfs: 4, vfDeviceId: 2, vfBarBytes: 4096, changed: (vfs) => changes.push(vfs) }),
      ],
    });
    write(0x124, 4, 0xffffffff);
    expect(read(0x124, 4)).toBe(0xfffff004);
    expect([read(0x10c, 2), read(0x10e, 2), read(0x114, 2), read(0x116, 2), read(0x11a, 2)]).toEqual([4, 4, 1, 1, 2]);
    write(0x110, 2, 9);
    expect(read(0x110, 2)).toBe(4);
    write(0x110, 2, 3);
    write(0x108, 2, 0x0009);
    write(0x110, 2, 2);
    expect(read(0x110, 2), 'the number stays while VFs are enabled').toBe(3);
    write(0x108, 2, 0x0000);
    expect(changes).toEqual([3, 0]);
    write(0x110, 2, 2);
    write(0x108, 2, 0x0009);
    client!.reset();
    expect([read(0x108, 2), read(0x110, 2)]).toEqual([0, 0]);
    write(0x110, 2, 1);
    expect(changes, 'a reset is no change to tell, and is none later').toEqual([3, 0, 2]);
  });
});

describe('function level reset', () => {
  test('restores configuration space and tells the device; the bit reads 0', () => {
    const reasons: string[] = [];
    const { server } = open({ reset: (reason) => reasons.push(reason) });
    const express = offsetOf(0x10);
    server.dma.map({ flags: 3, offset: 0n, address: 0n, size: 4096n }, undefined);
    write(0x04, 2, 0x0006);
    write(0x3c, 1, 11);
    write(express + 8, 2, 0x8000 | 0x2810);
    expect(reasons).toEqual(['flr']);
    expect([read(0x04, 2), read(0x3c, 1), read(express + 8, 2)]).toEqual([0, 0, 0x2810]);
    expect(server.dma.regions).toHaveLength(1);
  });

  test('works through a write of four bytes too', () => {
    const reasons: string[] = [];
    open({ reset: (reason) => reasons.push(reason) });
    write(offsetOf(0x10) + 8, 4, 0x8000);
    expect(reasons).toEqual(['flr']);
  });
});

describe('interrupts', () => {
  const line = { index: PciIrq.INTX, start: 0, count: 1 };
  const status = () => (read(0x06, 2) >> 3) & 1;

  test('an INTx line fires once until it is unmasked, and again if it is still up', () => {
    const { fn } = open({ interrupts: { intx: true } });
    const fd = eventfd();
    client!.setIrqs({ ...line, data: 'eventfd', action: 'trigger' }, [fd]);
    fn.interrupts.setLine(true);
    fn.interrupts.setLine(true);
    expect([eventfdRead(fd), status()]).toEqual([1n, 1]);
    client!.setIrqs({ ...line, data: 'none', action: 'unmask' });
    expect(eventfdRead(fd)).toBe(1n);
    fn.interrupts.setLine(false);
    client!.setIrqs({ ...line, data: 'none', action: 'unmask' });
    expect([eventfdRead(fd), status()]).toEqual([0n, 0]);
    closeSync(fd);
  });

  test('INTX_DISABLE keeps the line quiet, the status shows it all the same', () => {
    const { fn } = open({ interrupts: { intx: true } });
    const fd = eventfd();
    client!.setIrqs({ ...line, data: 'eventfd', action: 'trigger' }, [fd]);
    write(0x04, 2, 0x0400);
    fn.interrupts.setLine(true);
    expect([eventfdRead(fd), status()]).toEqual([0n, 1]);
    write(0x04, 2, 0);
    expect(eventfdRead(fd)).toBe(1n);
    closeSync(fd);
  });

  test.each([
    [0, [0b0001, 0b0001, 0b0001, 0b0001]],
    [1, [0b0001, 0b0010, 0b0010, 0b0010]],
    [2, [0b0001, 0b0010, 0b0100, 0b1000]],
    [7, [0b0001, 0b0010, 0b0100, 0b1000]],
  ])('MSI vectors beyond the 2^%i that the guest granted come by the last of these', (granted, expected) => {
    const { fn } = open({ interrupts: { msi: 4 } });
    write(offsetOf(0x05) + 2, 2, (granted << 4) | 1);
    const count = Math.min(4, 2 ** granted);
    const fds = Array.from({ length: count }, () => eventfd());
    client!.setIrqs({ index: PciIrq.MSI, start: 0, count, data: 'eventfd', action: 'trigger' }, fds);
    const fired = () => fds.reduce((bits, fd, index) => bits | (Number(eventfdRead(fd)) << index), 0);
    for (const [vector, bits] of expected.entries()) {
      fn.interrupts.raise(vector);
      expect(fired()).toBe(bits);
    }
    for (const fd of fds) closeSync(fd);
  });

  test('a reset with the line up does not signal it, though it takes INTX_DISABLE away', () => {
    const { fn } = open({ interrupts: { intx: true } });
    const fd = eventfd();
    client!.setIrqs({ ...line, data: 'eventfd', action: 'trigger' }, [fd]);
    write(0x04, 2, 0x0400);
    fn.interrupts.setLine(true);
    client!.reset();
    expect([eventfdRead(fd), status()]).toEqual([0n, 0]);
    closeSync(fd);
  });

  test('MSI-X pending bits show what waits for an eventfd', () => {
    const { fn } = open({ interrupts: { msix: { vectors: 4, bar: 4, tableOffset: 0, pbaOffset: 0x800 } } });
    client!.setIrqs({ index: PciIrq.MSIX, start: 0, count: 1, data: 'eventfd', action: 'trigger' });
    fn.interrupts.raise(2);
    expect(client!.read32(4, 0x800)).toBe(4);
    expect(client!.read32(4, 12)).toBe(1);
    const fd = eventfd();
    client!.setIrqs({ index: PciIrq.MSIX, start: 2, count: 1, data: 'eventfd', action: 'trigger' }, [fd]);
    expect([eventfdRead(fd), client!.read32(4, 0x800)]).toEqual([1n, 0]);
    closeSync(fd);
  });

  test('a reset takes pending interrupts away', () => {
    const { fn } = open({ interrupts: { msix: { vectors: 4, bar: 4, tableOffset: 0, pbaOffset: 0x800 } } });
    client!.setIrqs({ index: PciIrq.MSIX, start: 0, count: 1, data: 'eventfd', action: 'trigger' });
    fn.interrupts.raise(0);
    client!.reset();
    expect(client!.read32(4, 0x800)).toBe(0);
  });
});
