import { closeSync } from 'node:fs';
import { eventfd, eventfdRead, mmap } from '@kata-mock/posix';
import { afterEach, expect, test } from 'vitest';
import { Client } from '../client/client.ts';
import { migrate } from '../client/migrate.ts';
import { Command, encodeFeature, Feature, FeatureFlag, MigrationState, PciIrq, PciRegion } from '../protocol/index.ts';
import { codeOf, connectLoopback, FakeMemory } from '../testing.ts';
import { LoopbackChannel } from '../transport/loopback.ts';
import { DmaCmd, DmaStatus, IrqStatus, Reg } from './gen/registers.ts';
import { createMockAccel } from './mock-accel.ts';
import type { MockAccelOptions } from './options.ts';

const MIB = 1 << 20;
const APERTURE = 2;
const clients: Client[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

function open(options: MockAccelOptions = {}, connection: Parameters<typeof connectLoopback>[1] = {}) {
  const pair = connectLoopback(createMockAccel({ memorySize: '16M', aperture: '4M', ...options }), connection);
  clients.push(pair.client);
  return pair;
}

const deviceMemory = (client: Client) =>
  Buffer.concat([0, 1, 2, 3].map((part) => client.regionRead(APERTURE, part * MIB, MIB)));
/** All a guest can see: registers, configuration space, device memory. */
const everything = (client: Client) =>
  Buffer.concat([client.regionRead(0, 0, 4096), client.regionRead(PciRegion.CONFIG, 0, 4096), deviceMemory(client)]);

test('registers, configuration space and device memory move as they are', () => {
  const { client: source } = open();
  const { client: target, server } = open();
  source.write32(0, Reg.STATUS, 0x77);
  source.write32(0, Reg.PASSPHRASE_CMD, 1);
  source.regionWrite(PciRegion.CONFIG, 4, Uint8Array.of(6, 0));
  source.regionWrite(APERTURE, 3 * MIB + 5, new Uint8Array(200_000).fill(0xab));
  target.regionWrite(APERTURE, 0, Uint8Array.of(1, 2, 3));
  const before = everything(source);
  const moved = migrate(source, target);
  expect(everything(target).equals(before)).toBe(true);
  expect(server.dma.enabled).toBe(true);
  expect(moved.initial).toBeGreaterThan(200_000);
  expect(moved.dirty).toBe(0);
  expect(moved.rest).toBeLessThan(13_000);
});

test('what the guest writes while its device moves is moved once more, and only that', () => {
  const { client: source } = open();
  const { client: target } = open();
  source.regionWrite(APERTURE, 0, new Uint8Array(MIB).fill(1));
  const { fd, size } = source.regionInfo(APERTURE);
  const mapped = mmap(fd, Number(size));
  const moved = migrate(source, target, {
    rounds: 2,
    // Through the mapping, which the server does not see.
    beforeRound: (round) => mapped.bytes.fill(0x50 + round, round * 100_000, round * 100_000 + 10),
  });
  expect(moved.initial).toBeGreaterThan(MIB);
  expect(moved.dirty).toBe(2 * (65_536 + 16));
  expect(deviceMemory(target).equals(deviceMemory(source))).toBe(true);
  mapped.unmap();
  closeSync(fd);
});

test('much memory is looked through in pieces, and once more when the device has stopped', () => {
  const { client: source } = open({ memorySize: '64M', aperture: '64M' });
  const { client: target } = open({ memorySize: '64M', aperture: '64M' });
  for (let part = 0; part < 64; part++) source.regionWrite(APERTURE, part * MIB, new Uint8Array(MIB).fill(part + 1));
  // A reply comes after 16 MiB at the latest, so the second round does not see what changed behind the first.
  const moved = migrate(source, target, {
    rounds: 2,
    pieceBytes: 100_003,
    beforeRound: (round) => round === 1 && source.regionWrite(APERTURE, 5, Uint8Array.of(200)),
  });
  expect(moved.initial).toBeGreaterThan(64 * MIB);
  expect(moved.dirty).toBe(0);
  // Replies that would be short say nothing instead: a short one would be the end.
  expect(moved.rest).toBeGreaterThan(3 * 100_003);
  expect(moved.rest).toBeLessThan(6 * 100_003);
  expect(target.regionRead(APERTURE, 5, 1)).toEqual(Uint8Array.of(200));
  for (const part of [0, 31, 63]) expect(target.regionRead(APERTURE, part * MIB, 1)).toEqual(Uint8Array.of(part + 1));
});

test('an interrupt that waits for its eventfd and an active line move along', () => {
  const { client: source } = open({ intx: true });
  const { client: target } = open({ intx: true });
  source.write32(0, Reg.IRQ_ENABLE, IrqStatus.DMA_DONE);
  source.write32(0, Reg.IRQ_RAISE, IrqStatus.DMA_DONE);
  migrate(source, target);
  const line = eventfd();
  target.setIrqs({ index: PciIrq.INTX, start: 0, count: 1, data: 'eventfd', action: 'trigger' }, [line]);
  expect(eventfdRead(line)).toBe(1n);
  closeSync(line);
});

/** Guest memory whose owner stops the device when it is asked for the first time, and answers afterwards. */
class StoppingMemory extends FakeMemory {
  client: Client | undefined;
  stopping = -1;

  override read(address: bigint, count: number): Uint8Array {
    if (this.stopping < 0)
      this.stopping = this.client!.send(
        Command.DEVICE_FEATURE,
        encodeFeature(
          Feature.MIG_DEVICE_STATE,
          FeatureFlag.SET,
          Uint8Array.of(MigrationState.STOP, 0, 0, 0, 0, 0, 0, 0),
        ),
      );
    return super.read(address, count);
  }
}

test('a DMA command under way is carried out by the device it moved to, and not by the one it left', () => {
  const [here, there] = [new StoppingMemory(8192), new FakeMemory(8192)];
  here.bytes.fill(9);
  there.bytes.fill(9);
  const { client: source } = open({}, { memory: here });
  const { client: target } = open({}, { memory: there });
  here.client = source;
  for (const client of [source, target]) client.dmaMap({ flags: 3, offset: 0n, address: 0n, size: 8192n });
  source.regionWrite(PciRegion.CONFIG, 4, Uint8Array.of(6, 0));
  source.write32(0, Reg.DMA_LEN, 4096);
  source.regionWrite(0, Reg.DMA_CMD, Uint8Array.of(DmaCmd.START, 0, 0, 0), { posted: true });
  source.receive(here.stopping, Command.DEVICE_FEATURE);
  expect(source.read32(0, Reg.DMA_STATUS)).toBe(DmaStatus.STATE_BUSY);
  migrate(source, target, { stopped: true });
  expect(target.read32(0, Reg.DMA_STATUS)).toBe(DmaStatus.STATE_DONE);
  expect(target.regionRead(APERTURE, 0, 3)).toEqual(Uint8Array.of(9, 9, 9));
  expect(source.read32(0, Reg.DMA_STATUS)).toBe(DmaStatus.STATE_BUSY);
  expect(source.regionRead(APERTURE, 0, 3)).toEqual(new Uint8Array(3));
  source.migrationState = MigrationState.RUNNING;
  expect(source.read32(0, Reg.DMA_STATUS)).toBe(DmaStatus.STATE_DONE);
});

test('virtual functions that are on stay on, and can be turned off there', () => {
  const SRIOV = 0x100;
  const { client: source } = open({ totalVfs: 4 });
  const { client: target } = open({ totalVfs: 4 });
  source.regionWrite(PciRegion.CONFIG, SRIOV + 0x10, Uint8Array.of(2, 0));
  source.regionWrite(PciRegion.CONFIG, SRIOV + 0x08, Uint8Array.of(0x19, 0));
  expect(source.read32(0, Reg.SRIOV_NUM_VFS)).toBe(2);
  source.write32(0, Reg.IRQ_STATUS, IrqStatus.VF_CHANGE);
  migrate(source, target);
  expect([target.read32(0, Reg.SRIOV_NUM_VFS), target.read32(0, Reg.IRQ_STATUS)]).toEqual([2, 0]);
  target.regionWrite(PciRegion.CONFIG, SRIOV + 0x08, Uint8Array.of(0, 0));
  expect([target.read32(0, Reg.SRIOV_NUM_VFS), target.read32(0, Reg.IRQ_STATUS)]).toEqual([0, IrqStatus.VF_CHANGE]);
});

test('a client that leaves in the middle leaves a running device, without what it brought', () => {
  const { client: source } = open();
  source.regionWrite(APERTURE, 0, Uint8Array.of(1, 2, 3));
  source.migrationState = MigrationState.PRE_COPY;
  const head = source.migDataRead(70_000);
  const first = open({}, { server: { keepState: true } });
  first.client.migrationState = MigrationState.RESUMING;
  first.client.migDataWrite(head);
  expect(first.server.device.migration!.memory!.changes().next()).toBeDefined();
  first.client.close();
  const next = Client.open(new LoopbackChannel(first.server));
  clients.push(next);
  expect(next.migrationState).toBe(MigrationState.RUNNING);
  expect(next.regionRead(APERTURE, 0, 3)).toEqual(new Uint8Array(3));
});

test('a stopped device takes a command and carries it out when it runs again', () => {
  const { client } = open();
  client.migrationState = MigrationState.STOP;
  client.write32(0, Reg.DMA_LEN, 16);
  client.write32(0, Reg.DMA_CMD, DmaCmd.START | (DmaCmd.DIRECTION_IN_DEVICE << DmaCmd.DIRECTION_SHIFT));
  client.write32(0, Reg.PASSPHRASE_CMD, 1);
  expect([client.read32(0, Reg.DMA_STATUS), client.read32(0, Reg.PASSPHRASE_STATUS)]).toEqual([1, 1]);
  client.migrationState = MigrationState.RUNNING;
  expect([client.read32(0, Reg.DMA_STATUS), client.read32(0, Reg.PASSPHRASE_STATUS)]).toEqual([2, 2]);
});

test.each<[string, MockAccelOptions, MockAccelOptions]>([
  ['other memory', {}, { memorySize: '32M' }],
  ['another aperture', {}, { aperture: '8M' }],
  ['another identity', {}, { subsystem: 7 }],
  ['another serial number', {}, { uuid: 'OTHER' }],
  ['other interrupts', {}, { msix: false }],
  ['no DMA engine', {}, { dma: false }],
  ['fewer virtual functions', { totalVfs: 4 }, { totalVfs: 2 }],
])('a device with %s refuses, and works after a reset', (_, mine, yours) => {
  const { client: source } = open(mine);
  const { client: target } = open(yours);
  source.regionWrite(APERTURE, 0, Uint8Array.of(1, 2, 3));
  source.write32(0, Reg.STATUS, 0x77);
  expect(codeOf(() => migrate(source, target))).toBe('REPLY');
  expect([target.migrationState, target.read32(0, Reg.STATUS)]).toEqual([MigrationState.RUNNING, 1]);
  expect(target.regionRead(APERTURE, 0, 3)).toEqual(new Uint8Array(3));
  expect(source.read32(0, Reg.STATUS)).toBe(0x77);
});
