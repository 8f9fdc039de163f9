import { closeSync } from 'node:fs';
import { eventfd, eventfdRead } from '@kata-mock/posix';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Client } from '../client/client.ts';
import { requests } from '../host/requests.ts';
import { DmaStatus, Reg } from '../mock-accel/gen/registers.ts';
import { createMockAccel } from '../mock-accel/mock-accel.ts';
import { PciIrq, PciRegion } from '../protocol/index.ts';
import type { DeviceServer } from '../server/device-server.ts';
import { codeOf, connectLoopback, errnoOf, FakeMemory } from '../testing.ts';
import { type Fault, type FaultMatch, type FaultRule, faultKinds, parseRule } from './rule.ts';

let client: Client;
let server: DeviceServer;

beforeEach(() => {
  ({ client, server } = connectLoopback(createMockAccel(), { timeoutMs: 30, memory: new FakeMemory(4096) }));
});
afterEach(() => client.close());

const set = (fault: Fault, when: FaultMatch = {}) => requests['fault-set']!(server, { rule: { id: 'f', when, fault } });
const clear = () => requests['fault-clear']!(server, {});
const list = () => requests['fault-list']!(server, {}) as (FaultRule & { seen: number; struck: number })[];
const status = { access: 'read', region: 0, offset: Reg.STATUS } as const;

describe('what a read gives', () => {
  test.each<[Fault, number]>([
    [{ kind: 'ones' }, 0xffffffff],
    [{ kind: 'stuck', mask: 0xff00, value: 0x1200 }, 0x1201],
    [{ kind: 'stuck', mask: 1, value: 0 }, 0],
    [{ kind: 'flip', mask: 0x80000001 }, 0x80000000],
  ])('%j', (fault, value) => {
    set(fault, status);
    expect(client.read32(0, Reg.STATUS)).toBe(value);
    expect(client.read32(0, Reg.DEVICE_ID)).toBe(0x4b434f4d);
    clear();
    expect(client.read32(0, Reg.STATUS)).toBe(1);
    expect(server.faults).toBeUndefined();
  });
});

describe('what a write brings', () => {
  test.each<[Fault, number]>([
    [{ kind: 'ones' }, 0xffffffff],
    [{ kind: 'stuck', mask: 0xff00, value: 0x1200 }, 0xaabb1201],
    [{ kind: 'flip', mask: 0x80000001 }, 0x2abb0000],
  ])('%j', (fault, value) => {
    set(fault, { ...status, access: 'write' });
    client.write32(0, Reg.STATUS, 0xaabb0001);
    expect(client.read32(0, Reg.STATUS)).toBe(value);
    clear();
    client.write32(0, Reg.STATUS, 0xaabb0001);
    expect(client.read32(0, Reg.STATUS)).toBe(0xaabb0001);
  });
});

describe('many writes in one message', () => {
  const writes = [Reg.STATUS, Reg.DMA_SRC].map((offset) => ({ region: 0, offset, data: Uint8Array.of(5, 0, 0, 0) }));
  const both = () => [client.read32(0, Reg.STATUS), client.read32(0, Reg.DMA_SRC)];

  test('are each looked at', () => {
    set({ kind: 'flip', mask: 0xff }, { access: 'write', region: 0, offset: Reg.DMA_SRC });
    client.writeMulti(writes);
    expect(both()).toEqual([5, 250]);
    expect(list()[0]).toMatchObject({ seen: 1, struck: 1 });
    set({ kind: 'ones' }, { access: 'write' });
    client.writeMulti(writes);
    expect(both()).toEqual([0xffffffff, 0xffffffff]);
    expect(list()[0]).toMatchObject({ seen: 2, struck: 2 });
  });

  test('are all refused when one is', () => {
    set({ kind: 'error', errno: 5 }, { access: 'write', offset: Reg.DMA_SRC });
    expect(errnoOf(() => client.writeMulti(writes))).toBe(5);
    expect(both()[0]).toBe(1);
  });
});

describe('when a fault strikes', () => {
  const struckAt = (when: FaultMatch, reads = 6) => {
    set({ kind: 'ones' }, { ...status, ...when });
    const found: number[] = [];
    for (let index = 1; index <= reads; index++) if (client.read32(0, Reg.STATUS) === 0xffffffff) found.push(index);
    return found;
  };

  test('always, the nth time, the nth and those after it', () => {
    expect(struckAt({}, 3)).toEqual([1, 2, 3]);
    expect(struckAt({ nth: 4 })).toEqual([4]);
    expect(struckAt({ nth: 2, times: 3 })).toEqual([2, 3, 4]);
    expect(struckAt({ times: 2 })).toEqual([1, 2]);
  });

  test('with a probability, the same way for the same seed', () => {
    const first = struckAt({ probability: 0.5, seed: 7 }, 40);
    expect(first.length).toBeGreaterThan(8);
    expect(first.length).toBeLessThan(32);
    expect(struckAt({ probability: 0.5, seed: 7 }, 40)).toEqual(first);
    expect(struckAt({ probability: 0.5, seed: 8 }, 40)).not.toEqual(first);
    expect(struckAt({ probability: 0 }, 10)).toEqual([]);
  });

  test('not before its time', () => {
    expect(struckAt({ afterMs: 60_000 })).toEqual([]);
    set({ kind: 'ones' }, { ...status, afterMs: 20 });
    const begin = performance.now();
    while (client.read32(0, Reg.STATUS) === 1) expect(performance.now() - begin).toBeLessThan(1000);
    expect(performance.now() - begin).toBeGreaterThanOrEqual(20);
  });

  test('only on the access, region and bytes it names', () => {
    set({ kind: 'error', errno: 5 }, { access: 'write', region: 0, offset: 0x100, length: 8 });
    expect(client.read32(0, 0x100)).toBe(0);
    client.write32(0, 0xfc, 1);
    client.write32(0, 0x108, 1);
    expect(errnoOf(() => client.write32(0, 0x104, 7))).toBe(5);
    expect(errnoOf(() => client.write32(0, 0xfe, 7))).toBe(5);
    expect(client.read32(0, 0x104)).toBe(6);
    expect(list()[0]).toMatchObject({ seen: 2, struck: 2 });
  });
});

describe('how an answer is spoilt', () => {
  test('an error reply, and the write did not happen', () => {
    set({ kind: 'error', errno: 16 }, { access: 'write' });
    expect(errnoOf(() => client.write32(0, Reg.STATUS, 9))).toBe(16);
    expect(client.read32(0, Reg.STATUS)).toBe(1);
  });

  test('a stall never answers', () => {
    set({ kind: 'stall' }, status);
    expect(codeOf(() => client.read32(0, Reg.STATUS))).toBe('TIMEOUT');
  });

  test('a delay answers late', () => {
    set({ kind: 'delay', ms: 12 }, status);
    const start = performance.now();
    expect(client.read32(0, Reg.STATUS)).toBe(1);
    expect(performance.now() - start).toBeGreaterThanOrEqual(11);
  });

  test('two delays together are no longer than one may be, or the connection would break', () => {
    set({ kind: 'delay', ms: 4500 }, status);
    requests['fault-set']!(server, { rule: { id: 'g', when: status, fault: { kind: 'delay', ms: 4500 } } });
    const wait = vi.spyOn(Atomics, 'wait').mockReturnValue('timed-out');
    client.read32(0, Reg.STATUS);
    expect(wait.mock.calls.map(([, , , ms]) => ms)).toEqual([4500]);
    wait.mockRestore();
  });

  test('only the answer to what it struck, not the next one', () => {
    set({ kind: 'stall' }, { nth: 1 });
    expect(codeOf(() => client.read32(0, Reg.STATUS))).toBe('TIMEOUT');
    // Refused before any rule is asked.
    expect(codeOf(() => client.request(99, new Uint8Array(4)))).toBe('REPLY');
    set({ kind: 'stall' }, { access: 'write', nth: 1 });
    client.regionWrite(0, Reg.STATUS, Uint8Array.of(1, 0, 0, 0), { posted: true });
    expect(codeOf(() => client.request(99, new Uint8Array(4)))).toBe('REPLY');
    expect(list()[0]).toMatchObject({ struck: 1 });
  });

  test('a short reply', () => {
    set({ kind: 'short', bytes: 2 }, status);
    expect(client.regionRead(0, Reg.STATUS, 4)).toHaveLength(2);
  });

  test('a malformed reply and one with a wrong id break the protocol for the client', () => {
    set({ kind: 'wrong-id' }, { ...status, times: 1 });
    expect(codeOf(() => client.read32(0, Reg.STATUS))).toBe('PROTOCOL');
    set({ kind: 'malformed' }, { ...status, times: 1 });
    expect(codeOf(() => client.read32(0, Reg.STATUS))).toBe('PROTOCOL');
  });

  test('what needs someone beside the connection is told, a removal once', () => {
    const told: FaultRule[] = [];
    const tell = (fault: Fault, when: FaultMatch) =>
      requests['fault-set']!(server, { rule: { id: fault.kind, when, fault } }, (rule) => told.push(rule));
    tell({ kind: 'aer', uncorrectable: 0x4000 }, { ...status, nth: 2 });
    tell({ kind: 'removal' }, { ...status, nth: 3 });
    expect([client.read32(0, Reg.STATUS), told.length]).toEqual([1, 0]);
    expect([client.read32(0, Reg.STATUS), told.length]).toEqual([1, 1]);
    for (let read = 3; read < 6; read++) expect(client.read32(0, Reg.STATUS)).toBe(0xffffffff);
    expect(told.map(({ fault }) => fault)).toEqual([{ kind: 'aer', uncorrectable: 0x4000 }, { kind: 'removal' }]);
  });

  test('a crash ends the connection', () => {
    set({ kind: 'crash', returnMs: 5000 }, status);
    expect(codeOf(() => client.read32(0, Reg.STATUS))).toBe('DISCONNECTED');
    expect(server.awayMs!()).toBeGreaterThan(4000);
  });

  test('a removed device reads all ones and swallows writes until it is back', () => {
    set({ kind: 'removal' }, { times: 1 });
    expect(client.read32(PciRegion.CONFIG, 0)).toBe(0xffffffff);
    client.write32(0, Reg.STATUS, 5);
    const write = { region: 0, offset: Reg.STATUS, data: Uint8Array.of(6, 0, 0, 0) };
    expect(client.writeMulti([write, write])).toBe(2);
    expect(client.read32(0, Reg.DEVICE_ID)).toBe(0xffffffff);
    clear();
    expect(client.read32(0, Reg.STATUS)).toBe(1);
  });
});

describe('interrupts and DMA', () => {
  let fd: number;
  beforeEach(() => {
    fd = eventfd();
    client.setIrqs({ index: PciIrq.MSIX, start: 1, count: 1, data: 'eventfd', action: 'trigger' }, [fd]);
    client.write32(0, Reg.IRQ_ENABLE, 2);
  });
  afterEach(() => closeSync(fd));
  const raise = () => client.write32(0, Reg.IRQ_RAISE, 2);

  test('lost, and only for the vector named', () => {
    set({ kind: 'irq-lost' }, { vector: 1, times: 1 });
    raise();
    expect(eventfdRead(fd)).toBe(0n);
    raise();
    expect(eventfdRead(fd)).toBe(1n);
    set({ kind: 'irq-lost' }, { vector: 2 });
    raise();
    expect(eventfdRead(fd)).toBe(1n);
  });

  /** Runs the server's timers until the interrupt is there. */
  const interrupt = () => {
    const deadline = performance.now() + 1000;
    for (;;) {
      const count = eventfdRead(fd);
      if (count > 0n) return count;
      expect(performance.now()).toBeLessThan(deadline);
      server.runTimers();
    }
  };

  test('late', () => {
    set({ kind: 'irq-late', ms: 5 });
    raise();
    expect(eventfdRead(fd)).toBe(0n);
    expect(interrupt()).toBe(1n);
  });

  test('late, but not after a reset', () => {
    set({ kind: 'irq-late', ms: 5 });
    raise();
    client.reset();
    while (!server.timers.isEmpty) server.runTimers();
    expect(eventfdRead(fd)).toBe(0n);
  });

  test('twice, the second time when the first has been taken', () => {
    set({ kind: 'irq-duplicate' }, { vector: 1, times: 1 });
    raise();
    expect(eventfdRead(fd)).toBe(1n);
    expect(interrupt()).toBe(1n);
    raise();
    expect([eventfdRead(fd), server.timers.isEmpty]).toEqual([1n, true]);
  });

  test('a DMA error is an error of the device, not of the server', () => {
    client.regionWrite(PciRegion.CONFIG, 4, Uint8Array.of(6, 0));
    client.dmaMap({ flags: 3, offset: 0n, address: 0n, size: 4096n });
    set({ kind: 'dma-error' });
    client.write32(0, Reg.DMA_LEN, 4);
    client.write32(0, Reg.DMA_CMD, 1);
    expect(client.read32(0, Reg.DMA_STATUS)).toBe(DmaStatus.STATE_ERROR | (DmaStatus.ERROR_ABORTED << 8));
    expect(client.read32(0, Reg.DEVICE_ID)).toBe(0x4b434f4d);
  });
});

describe('rules', () => {
  test('one of every kind is understood', () => {
    const parameters: Record<string, object> = {
      stuck: { mask: 1, value: 1 },
      flip: { mask: 1 },
      delay: { ms: 1 },
      error: { errno: 5 },
      short: { bytes: 1 },
      'irq-late': { ms: 1 },
      aer: { correctable: 1 },
    };
    for (const kind of faultKinds)
      expect(parseRule({ id: 'x', fault: { kind, ...parameters[kind] } }).fault.kind).toBe(kind);
  });

  test.each([
    ['no object', 5],
    ['no id', { fault: { kind: 'ones' } }],
    ['a bad id', { id: 'a/b', fault: { kind: 'ones' } }],
    ['an unknown kind', { id: 'a', fault: { kind: 'explode' } }],
    ['a kind of every object', { id: 'a', fault: { kind: 'constructor' } }],
    ['a parameter missing', { id: 'a', fault: { kind: 'delay' } }],
    ['an unknown parameter', { id: 'a', fault: { kind: 'ones', ms: 1 } }],
    ["a delay above the client's patience", { id: 'a', fault: { kind: 'delay', ms: 5000 } }],
    ['an AER event of both registers', { id: 'a', fault: { kind: 'aer', correctable: 1, uncorrectable: 16 } }],
    ['an AER event of none', { id: 'a', fault: { kind: 'aer' } }],
    ['an unknown condition', { id: 'a', when: { moon: 1 }, fault: { kind: 'ones' } }],
    ['a probability above 1', { id: 'a', when: { probability: 2 }, fault: { kind: 'ones' } }],
    ['an nth that is no integer', { id: 'a', when: { nth: 1.5 }, fault: { kind: 'ones' } }],
    ['an nth before the first', { id: 'a', when: { nth: 0 }, fault: { kind: 'ones' } }],
    ['so many times as none', { id: 'a', when: { times: 0 }, fault: { kind: 'ones' } }],
    ['a region that no device has', { id: 'a', when: { region: 9 }, fault: { kind: 'ones' } }],
    ['a length from nowhere', { id: 'a', when: { length: 4 }, fault: { kind: 'ones' } }],
    ['a seed without a chance', { id: 'a', when: { seed: 4 }, fault: { kind: 'ones' } }],
    ['a vector of an access', { id: 'a', when: { vector: 1 }, fault: { kind: 'ones' } }],
    ['an access of an interrupt', { id: 'a', when: { access: 'read' }, fault: { kind: 'irq-lost' } }],
    ['a region of an interrupt', { id: 'a', when: { region: 0 }, fault: { kind: 'irq-lost' } }],
    ['a place of DMA', { id: 'a', when: { offset: 0 }, fault: { kind: 'dma-error' } }],
    ['an error that is none', { id: 'a', fault: { kind: 'error', errno: 0 } }],
    ['an error the protocol cannot say', { id: 'a', fault: { kind: 'error', errno: 5000 } }],
    ['a mask of no bits', { id: 'a', fault: { kind: 'stuck', mask: 0, value: 0 } }],
    ['a condition of every object', { id: 'a', when: { constructor: 1 }, fault: { kind: 'ones' } }],
    ['an access that is neither', { id: 'a', when: { access: 'both' }, fault: { kind: 'ones' } }],
  ])('%s is refused', (_, rule) => {
    expect(codeOf(() => parseRule(rule))).toBe('INVALID_OPTION');
  });

  test('whatever is understood can strike, and counts', () => {
    const occasions = { access: 'read', region: 0, offset: Reg.STATUS, length: 4, nth: 1, times: 2, afterMs: 0 };
    set({ kind: 'flip', mask: 1 }, { ...occasions, probability: 1, seed: 3 } as FaultMatch);
    expect(client.read32(0, Reg.STATUS)).toBe(0);
    expect(list()[0]).toMatchObject({ seen: 1, struck: 1 });
  });

  test('a rule can be cleared by its id only if it is there', () => {
    set({ kind: 'ones' });
    expect(codeOf(() => requests['fault-clear']!(server, { rule: 'other' }))).toBe('NOT_FOUND');
    expect(requests['fault-clear']!(server, { rule: 'f' })).toEqual({ cleared: 1 });
  });
});
