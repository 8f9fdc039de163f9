import { closeSync, readFileSync } from 'node:fs';
import { eventfd, eventfdRead, memfdCreate, mmap } from '@kata-mock/posix';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import echo from '../../examples/echo.ts';
import edu from '../../examples/edu.ts';
import smallest from '../../examples/smallest.ts';
import type { Client } from '../client/client.ts';
import { PciIrq, PciRegion } from '../protocol/index.ts';
import { connectLoopback } from '../testing.ts';

let client: Client;
afterEach(() => client.close());

const busMaster = () => client.regionWrite(PciRegion.CONFIG, 4, Uint8Array.of(6, 0));

/** Guest memory of two pages at address 0. */
function guestMemory() {
  const fd = memfdCreate('guest', { size: 8192, seal: true });
  client.dmaMap({ flags: 3, offset: 0n, address: 0n, size: 8192n }, fd);
  const mapping = mmap(fd, 8192);
  closeSync(fd);
  return mapping;
}

test('the smallest device prints what is written, and is 25 lines or less', () => {
  const lines: string[] = [];
  ({ client } = connectLoopback(smallest, { server: { log: (_level, message) => lines.push(message) } }));
  client.write32(0, 0, 42);
  expect(lines).toEqual(['the guest wrote 42']);
  const source = readFileSync(new URL('../../examples/smallest.ts', import.meta.url), 'utf8');
  expect(source.trim().split('\n').length).toBeLessThanOrEqual(25);
});

test('the echo device copies and interrupts', () => {
  ({ client } = connectLoopback(echo));
  busMaster();
  const memory = guestMemory();
  const fd = eventfd();
  client.setIrqs({ index: PciIrq.MSIX, start: 0, count: 1, data: 'eventfd', action: 'trigger' }, [fd]);
  memory.bytes.set([1, 2, 3], 100);
  client.write64(0, 0, 100n);
  client.write64(0, 8, 5000n);
  client.write32(0, 16, 3);
  client.write32(0, 20, 1);
  expect([...memory.bytes.subarray(4999, 5004)]).toEqual([0, 1, 2, 3, 0]);
  expect([client.read32(0, 24), eventfdRead(fd)]).toEqual([1, 1n]);
  client.write32(0, 16, 65_537);
  expect(client.read32(0, 16)).toBe(3);
  closeSync(fd);
  memory.unmap();
});

describe("QEMU's edu device does what its documentation says", () => {
  beforeEach(() => {
    ({ client } = connectLoopback(edu));
  });

  test('identifies itself as 1234:11e8 with 1 MiB of registers', () => {
    expect(client.read32(PciRegion.CONFIG, 0)).toBe(0x11e81234);
    expect(client.regionInfo(0).size).toBe(1n << 20n);
    expect(client.read32(0, 0)).toBe(0x010000ed);
  });

  test('answers the liveness check with the inverse', () => {
    client.write32(0, 4, 0x12345678);
    expect(client.read32(0, 4)).toBe(0xedcba987);
  });

  test.each([
    [0, 1],
    [5, 120],
    [12, 479001600],
    [13, 1932053504],
    [0xffffffff, 0],
  ])('%i! is %i modulo 2^32', (value, factorial) => {
    client.write32(0, 8, value);
    expect(client.read32(0, 8)).toBe(factorial);
    expect(client.read32(0, 0x20) & 1).toBe(0);
  });

  test('raises and acknowledges interrupts on its line', () => {
    const fd = eventfd();
    const line = { index: PciIrq.INTX, start: 0, count: 1 };
    client.setIrqs({ ...line, data: 'eventfd', action: 'trigger' }, [fd]);
    client.write32(0, 0x60, 0x12);
    expect([eventfdRead(fd), client.read32(0, 0x24)]).toEqual([1n, 0x12]);
    client.write32(0, 0x64, 0x02);
    expect(client.read32(0, 0x24)).toBe(0x10);
    client.setIrqs({ ...line, data: 'none', action: 'unmask' });
    expect(eventfdRead(fd)).toBe(1n);
    client.write32(0, 0x64, 0x10);
    client.setIrqs({ ...line, data: 'none', action: 'unmask' });
    expect(eventfdRead(fd)).toBe(0n);
    closeSync(fd);
  });

  test('interrupts by MSI after a factorial when asked to', () => {
    const fd = eventfd();
    client.setIrqs({ index: PciIrq.MSI, start: 0, count: 1, data: 'eventfd', action: 'trigger' }, [fd]);
    client.write32(0, 0x20, 0xff);
    expect(client.read32(0, 0x20)).toBe(0x80);
    client.write32(0, 8, 4);
    expect([client.read32(0, 8), client.read32(0, 0x24), eventfdRead(fd)]).toEqual([24, 1, 1n]);
    closeSync(fd);
  });

  test('transfers 100 bytes to its buffer and back, as in the documentation', () => {
    busMaster();
    const memory = guestMemory();
    memory.bytes.fill(0x5a, 0, 100);
    const transfer = (source: bigint, target: bigint, command: bigint) => {
      client.write64(0, 0x80, source);
      client.write64(0, 0x88, target);
      client.write64(0, 0x90, 100n);
      client.write64(0, 0x98, command);
      return client.read32(0, 0x98);
    };
    expect(transfer(0n, 0x40000n, 1n)).toBe(0);
    expect(transfer(0x40000n, 4096n, 7n)).toBe(6);
    expect(memory.bytes.subarray(4096, 4196)).toEqual(memory.bytes.subarray(0, 100));
    expect(client.read32(0, 0x24)).toBe(0x100);
    memory.unmap();
  });

  test.each([
    ['leaves the buffer', 0n, 0x40000n + 4090n],
    ['reads what is no memory', 0x7000_0000n, 0x40000n],
  ])('a transfer that %s is not done, and ends all the same', (_, source, target) => {
    busMaster();
    const memory = guestMemory();
    memory.bytes.fill(0x77, 0, 100);
    client.write64(0, 0x80, source);
    client.write64(0, 0x88, target);
    client.write64(0, 0x90, 100n);
    client.write64(0, 0x98, 5n);
    expect([client.read32(0, 0x98), client.read32(0, 0x24)]).toEqual([4, 0x100]);
    // What is in the buffer, and a transfer that works after one that did not.
    client.write64(0, 0x80, 0x40000n);
    client.write64(0, 0x88, 4096n);
    client.write64(0, 0x98, 3n);
    expect(client.read32(0, 0x98)).toBe(2);
    expect(memory.bytes.subarray(4096, 4196)).not.toContain(0x77);
    memory.unmap();
  });
});
