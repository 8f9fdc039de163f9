import { closeSync } from 'node:fs';
import { eventfd, eventfdRead, memfdCreate } from '@kata-mock/posix';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Client } from '../client/client.ts';
import { migrate } from '../client/migrate.ts';
import {
  Command,
  encodeDmaUnmap,
  encodeFeature,
  encodeLoggingReport,
  encodeLoggingStart,
  Feature,
  FeatureFlag,
  MigrationState,
  viewOf,
} from '../protocol/index.ts';
import { codeOf, connectLoopback, errnoOf } from '../testing.ts';
import type { DeviceServer } from './device-server.ts';
import { encodeEnd, encodeHead, encodeMemory, encodePending, encodeState } from './migration-stream.ts';
import { TestDevice } from './test-device.ts';

const [ENOENT, EINVAL, ENOTSUP] = [2, 22, 95];
const { ERROR, STOP, RUNNING, STOP_COPY, RESUMING, RUNNING_P2P, PRE_COPY, PRE_COPY_P2P } = MigrationState;
let device: TestDevice;
let client: Client;
let server: DeviceServer;

beforeEach(() => {
  device = new TestDevice();
  ({ client, server } = connectLoopback(device));
});

afterEach(() => {
  client.close();
  device.close();
});

const setState = (state: number) =>
  errnoOf(() => {
    client.migrationState = state;
  });

describe('migration', () => {
  test('offers stop-and-copy and pre-copy', () => {
    expect(viewOf(client.featureGet(Feature.MIGRATION)).getBigUint64(0, true)).toBe(5n);
  });

  test('the state is saved, moved in pieces of any size and restored when all of it is there', () => {
    device.saved = Uint8Array.from({ length: 3000 }, (_, index) => index % 256);
    client.migrationState = STOP_COPY;
    const parts: number[] = [];
    for (let part = client.migDataRead(1000); part.length > 0; part = client.migDataRead(1000)) parts.push(...part);

    const other = new TestDevice();
    const target = connectLoopback(other).client;
    target.migrationState = RESUMING;
    target.migDataWrite(Uint8Array.from(parts.slice(0, 1700)));
    for (const byte of parts.slice(1700, 1720)) target.migDataWrite(Uint8Array.of(byte));
    target.migDataWrite(Uint8Array.from(parts.slice(1720)));
    expect(other.restored).toBeUndefined();
    target.migrationState = RUNNING;
    expect(other.restored).toEqual([...device.saved]);
    expect(target.migrationState).toBe(RUNNING);
    target.close();
    other.close();
  });

  test('a state whose end is missing, or of another device, leaves ERROR, which only a reset leaves', () => {
    const refused: [string, Uint8Array][] = [
      ['another device', encodeHead('toaster')],
      ['no end', encodeHead('test-device')],
      ['memory it has not got', Buffer.concat([encodeHead('test-device'), encodeMemory(0n, Uint8Array.of(1))])],
      ['no head', encodeState(Uint8Array.of(1))],
      ['an end without a state', Buffer.concat([encodeHead('test-device'), encodeEnd()])],
      ['a length above the limit', Uint8Array.of(3, 0, 0, 0, 1, 0, 16, 0)],
      ['a vector it has not got', Buffer.concat([encodeHead('test-device'), encodePending([[2, 8]])])],
    ];
    for (const [what, stream] of refused) {
      client.migrationState = RESUMING;
      expect(
        errnoOf(() => {
          client.migDataWrite(stream);
          client.migrationState = RUNNING;
        }),
        what,
      ).toBe(EINVAL);
      expect(client.migrationState, what).toBe(ERROR);
      for (const state of [RUNNING, ERROR]) expect(setState(state), `to ${state}`).toBe(EINVAL);
      expect(errnoOf(() => client.regionRead(0, 0, 4))).toBe(EINVAL);
      client.reset();
      expect(client.migrationState).toBe(RUNNING);
    }
    expect(device.restored).toBeUndefined();
  });

  test('an interrupt that was not delivered moves along', () => {
    const fd = eventfd();
    const vector3 = { index: 2, start: 3, count: 1 } as const;
    client.setIrqs({ ...vector3, data: 'eventfd', action: 'trigger' }, [fd]);
    client.setIrqs({ ...vector3, data: 'none', action: 'mask' });
    server.irqs.trigger(2, 3);
    const other = new TestDevice();
    const target = connectLoopback(other).client;
    migrate(client, target);
    target.setIrqs({ ...vector3, data: 'eventfd', action: 'trigger' }, [fd]);
    expect(eventfdRead(fd)).toBe(1n);
    closeSync(fd);
    target.close();
    other.close();
  });

  test('a target that refuses is reset and the source runs on', () => {
    const other = new TestDevice();
    other.migration = { ...other.migration!, shape: 'a toaster' };
    const target = connectLoopback(other).client;
    expect(errnoOf(() => migrate(client, target))).toBe(EINVAL);
    expect([client.migrationState, target.migrationState]).toEqual([RUNNING, RUNNING]);
    target.close();
    other.close();
  });

  test('a source that goes away in the middle leaves a target that runs', () => {
    const other = new TestDevice();
    const target = connectLoopback(other).client;
    expect(codeOf(() => migrate(client, target, { beforeRound: () => client.close() }))).toBe('DISCONNECTED');
    expect(target.migrationState).toBe(RUNNING);
    target.close();
    other.close();
  });

  const paths: [string, number[], number, boolean][] = [
    ['running to stop-copy', [], STOP_COPY, true],
    ['running to pre-copy', [], PRE_COPY, true],
    ['pre-copy to stop-copy', [PRE_COPY], STOP_COPY, true],
    ['pre-copy back to running', [PRE_COPY], RUNNING, true],
    ['pre-copy to resuming, over running', [PRE_COPY], RESUMING, true],
    ['stop-copy to running', [STOP_COPY], RUNNING, true],
    ['resuming to stop-copy', [RESUMING], STOP_COPY, true],
    ['the state it has', [], RUNNING, true],
    ['anything to error', [], ERROR, false],
    ['running to running P2P', [], RUNNING_P2P, false],
    ['running to pre-copy P2P', [], PRE_COPY_P2P, false],
    ['a state of 8', [], 8, false],
    ['a state of 0xabcd', [], 0xabcd, false],
  ];
  test.each(paths.filter(([name]) => name !== 'stop-copy to pre-copy'))('%s', (_, before, target, possible) => {
    for (const state of before) client.migrationState = state;
    expect(setState(target)).toBe(possible ? undefined : EINVAL);
    if (possible) expect(client.migrationState).toBe(target);
  });

  test('stop-copy to pre-copy is refused', () => {
    client.migrationState = STOP_COPY;
    expect(setState(PRE_COPY)).toBe(EINVAL);
  });

  test('data is read only while saving and written only while resuming', () => {
    expect(errnoOf(() => client.migDataRead(10))).toBe(EINVAL);
    expect(errnoOf(() => client.migDataWrite(Uint8Array.of(1)))).toBe(EINVAL);
    client.migrationState = RESUMING;
    expect(errnoOf(() => client.migDataRead(10))).toBe(EINVAL);
  });

  test('a size above what the client takes is refused', () => {
    client.migrationState = STOP_COPY;
    expect(errnoOf(() => client.migDataRead((1 << 20) + 1))).toBe(EINVAL);
  });

  test('a stopped device answers reads and writes only, a saving one not even those', () => {
    client.migrationState = STOP;
    expect(client.regionRead(0, 0, 4)).toHaveLength(4);
    expect(errnoOf(() => client.deviceInfo())).toBe(EINVAL);
    client.migrationState = STOP_COPY;
    expect(errnoOf(() => client.regionRead(0, 0, 4))).toBe(EINVAL);
    client.migrationState = RUNNING;
    expect(client.deviceInfo().irqs).toBe(5);
  });

  test("the device's own error passes through", () => {
    device.migration!.restore = () => {
      throw Object.assign(new Error('not mine'), { errno: 5 });
    };
    client.migrationState = RESUMING;
    for (const part of [encodeHead('test-device'), encodeState(Uint8Array.of(1)), encodePending([]), encodeEnd()])
      client.migDataWrite(part);
    expect(setState(RUNNING)).toBe(5);
  });

  test('PROBE tells what there is', () => {
    client.featureProbe(Feature.MIGRATION, FeatureFlag.GET);
    client.featureProbe(Feature.MIG_DEVICE_STATE, FeatureFlag.GET | FeatureFlag.SET);
    expect(errnoOf(() => client.featureProbe(Feature.MIGRATION, FeatureFlag.SET))).toBe(EINVAL);
    expect(errnoOf(() => client.featureProbe(3, FeatureFlag.GET))).toBe(EINVAL);
  });

  test.each([
    ['argsz too small for the answer', encodeFeature(Feature.MIGRATION, FeatureFlag.GET, new Uint8Array(0), 15)],
    ['argsz too small for the echo', encodeFeature(Feature.MIG_DEVICE_STATE, FeatureFlag.SET, new Uint8Array(8), 15)],
    ['argsz too small for a probe', encodeFeature(Feature.MIGRATION, FeatureFlag.PROBE, new Uint8Array(8), 15)],
    ['no operation', encodeFeature(Feature.MIGRATION, 0)],
    [
      'two operations',
      encodeFeature(Feature.MIG_DEVICE_STATE, FeatureFlag.GET | FeatureFlag.SET, new Uint8Array(8), 64),
    ],
    ['an unknown flag', encodeFeature(Feature.MIGRATION, FeatureFlag.GET | (1 << 19), new Uint8Array(0), 64)],
    ['a short state', encodeFeature(Feature.MIG_DEVICE_STATE, FeatureFlag.SET, new Uint8Array(7))],
  ])('%s is refused', (_, payload) => {
    expect(errnoOf(() => client.request(Command.DEVICE_FEATURE, payload))).toBe(EINVAL);
  });

  test('a device without it has no feature at all', () => {
    const plain = new TestDevice();
    plain.migration = undefined;
    const other = connectLoopback(plain).client;
    for (const feature of [1, 2, 6, 7, 8])
      expect(errnoOf(() => other.featureProbe(feature, FeatureFlag.SET))).toBe(EINVAL);
    other.close();
    plain.close();
  });
});

describe('dirty page logging', () => {
  const PAGE = 4096n;
  let fd: number;

  beforeEach(() => {
    fd = memfdCreate('guest', { size: 128 * 4096, seal: true });
    client.dmaMap({ flags: 3, offset: 0n, address: PAGE, size: 100n * PAGE }, fd);
  });
  afterEach(() => closeSync(fd));

  const start = (pageBytes: number) =>
    client.featureSet(Feature.DMA_LOGGING_START, encodeLoggingStart({ pageBytes, ranges: [] }));
  const report = (address = PAGE, size = 100n * PAGE, pageBytes = 4096) => {
    const request = encodeLoggingReport({ address, size, pageBytes });
    return client.featureGet(Feature.DMA_LOGGING_REPORT, request, 1 << 20).subarray(24);
  };
  const bits = (bitmap: Uint8Array) =>
    [...bitmap].flatMap((byte, at) =>
      [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => byte & (1 << bit)).map((bit) => at * 8 + bit),
    );

  test('reports the pages the device wrote, once', () => {
    start(4096);
    server.dma.write(PAGE, Uint8Array.of(1));
    server.dma.write(8n * PAGE + 4095n, Uint8Array.of(1, 2));
    server.dma.write(100n * PAGE, new Uint8Array(4096));
    server.dma.read(50n * PAGE, new Uint8Array(10));
    const bitmap = report();
    expect(bitmap).toHaveLength(16);
    expect(bits(bitmap)).toEqual([0, 7, 8, 99]);
    expect(bits(report())).toEqual([]);
  });

  test('pages are told in the size that is asked for, whatever logging was started with', () => {
    start(8192);
    server.dma.write(4n * PAGE, Uint8Array.of(1));
    expect(bits(report())).toEqual([3]);
    server.dma.write(4n * PAGE, Uint8Array.of(1));
    server.dma.write(5n * PAGE, Uint8Array.of(1));
    expect(bits(report(PAGE, 100n * PAGE, 16384))).toEqual([0, 1]);
    expect(bits(report())).toEqual([]);
  });

  test('starting twice is fine with the same page size only', () => {
    start(4096);
    start(4096);
    expect(errnoOf(() => start(8192))).toBe(EINVAL);
    expect(errnoOf(() => start(0))).toBe(EINVAL);
  });

  test.each([
    ['an unmapped range', 500n * PAGE, PAGE, 4096, ENOENT],
    ['more than a region', 50n * PAGE, 60n * PAGE, 4096, ENOTSUP],
    ['a page size below 4096', PAGE, 100n * PAGE, 2048, EINVAL],
    ['a page larger than the range', PAGE, 100n * PAGE, 1 << 30, EINVAL],
    ['page size 0', PAGE, 100n * PAGE, 0, EINVAL],
    ['page size 5000', PAGE, 100n * PAGE, 5000, EINVAL],
    ['a bitmap above 1 MiB', 0n, 1n << 50n, 4096, EINVAL],
  ])('%s is refused', (_, address, size, pageBytes, errno) => {
    start(4096);
    expect(errnoOf(() => report(address, size, pageBytes))).toBe(errno);
  });

  test('a part of a region is told by itself: the bitmap of a large one fits no message', () => {
    const large = memfdCreate('large', { size: 2 ** 36, seal: true });
    const address = 1n << 40n;
    const size = 1n << 36n;
    client.dmaMap({ flags: 3, offset: 0n, address, size }, large);
    closeSync(large);
    start(4096);
    const half = size / 2n;
    for (const at of [0n, half - 1n, half, size - 1n]) server.dma.write(address + at, Uint8Array.of(1));
    expect(errnoOf(() => report(address, size))).toBe(EINVAL);
    const quarter = (part: bigint) => bits(report(address + (part * size) / 4n, size / 4n));
    const last = Number(size / 4n / PAGE) - 1;
    expect([0n, 1n, 2n, 3n].map(quarter)).toEqual([[0], [last], [0], [last]]);
    expect(quarter(0n)).toEqual([]);
  });

  test('what is unmapped is forgotten: memory mapped there next was not written', () => {
    start(4096);
    const map = () => client.dmaMap({ flags: 3, offset: 0n, address: PAGE, size: 100n * PAGE }, fd);
    for (const unmap of [() => client.dmaUnmap(PAGE, 100n * PAGE), () => client.dmaUnmapAll()]) {
      server.dma.write(3n * PAGE, Uint8Array.of(1));
      unmap();
      map();
      expect(bits(report())).toEqual([]);
    }
  });

  test('a region without a descriptor has no log', () => {
    start(4096);
    client.dmaMap({ flags: 3, offset: 0n, address: 1n << 30n, size: PAGE });
    expect(errnoOf(() => report(1n << 30n, PAGE))).toBe(EINVAL);
  });

  test('stopping forgets', () => {
    start(4096);
    client.featureSet(Feature.DMA_LOGGING_STOP, new Uint8Array(0));
    expect(errnoOf(() => report())).toBe(EINVAL);
  });

  test('an unmap can take the last report along', () => {
    start(4096);
    server.dma.write(3n * PAGE, Uint8Array.of(1));
    const bitmap = { pageBytes: PAGE, bytes: 16n };
    const request = encodeDmaUnmap({ flags: 1, address: PAGE, size: 100n * PAGE, bitmap });
    const { payload } = client.request(Command.DMA_UNMAP, request);
    expect(bits(payload.subarray(40))).toEqual([2]);
    expect(server.dma.regions).toHaveLength(0);
  });

  test('an unmap with the wrong bitmap size is refused', () => {
    start(4096);
    const request = encodeDmaUnmap({
      flags: 1,
      address: PAGE,
      size: 100n * PAGE,
      bitmap: { pageBytes: PAGE, bytes: 8n },
    });
    expect(errnoOf(() => client.request(Command.DMA_UNMAP, request))).toBe(EINVAL);
  });
});
