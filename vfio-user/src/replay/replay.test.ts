import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Client } from '../client/client.ts';
import { pciDevice } from '../kit/index.ts';
import { DmaCmd, PassphraseCmd, Reg } from '../mock-accel/gen/registers.ts';
import { createMockAccel } from '../mock-accel/mock-accel.ts';
import { Command, encodeVersion, HEADER_BYTES, PciRegion, readHeader, viewOf } from '../protocol/index.ts';
import type { VfioDevice } from '../server/device.ts';
import { DeviceServer, type DeviceServerOptions } from '../server/device-server.ts';
import { codeOf, FakeMemory, temporaryDirectory } from '../testing.ts';
import { startTrace, stopTrace } from '../trace/control.ts';
import { Origin, readPcapng, type TraceRecord } from '../trace/pcapng.ts';
import { LoopbackChannel } from '../transport/loopback.ts';
import { replay } from './replay.ts';

let directory: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => directory.remove());

const DATA = Uint8Array.of(5, 6, 7, 8);

/** A session in which the device takes 4 bytes of guest memory by messages and gives them back elsewhere. */
function recordDma(): TraceRecord[] {
  const file = path.join(directory.path, 't.pcapng');
  const memory = new FakeMemory(8192);
  memory.bytes.set(DATA, 0x10);
  const server = new DeviceServer(createMockAccel({ uuid: 'U' }));
  startTrace(server, { file });
  const channel = new LoopbackChannel(server);
  const client = Client.open(channel, { memory });
  channel.whileServerWaits = () => client.serveUntil(() => !channel.hasSent);
  client.regionWrite(PciRegion.CONFIG, 4, Uint8Array.of(6, 0));
  client.dmaMap({ flags: 3, offset: 0n, address: 0n, size: 8192n });
  const copy = (direction: number, source: bigint, target: bigint) => {
    client.write64(0, Reg.DMA_SRC, source);
    client.write64(0, Reg.DMA_DST, target);
    client.write32(0, Reg.DMA_LEN, DATA.length);
    client.write32(0, Reg.DMA_CMD, DmaCmd.START | (direction << DmaCmd.DIRECTION_SHIFT));
    client.read32(0, Reg.DMA_STATUS);
  };
  copy(DmaCmd.DIRECTION_TO_DEVICE, 0x10n, 0n);
  copy(DmaCmd.DIRECTION_TO_GUEST, 0n, 0x20n);
  stopTrace(server);
  client.close();
  expect(memory.bytes.subarray(0x20, 0x24)).toEqual(DATA);
  return readPcapng(readFileSync(file)).records;
}

const commandOf = ({ message }: TraceRecord) => readHeader(viewOf(message), 0).command;
const fresh = () => createMockAccel({ uuid: 'U' });
/** The recording with one byte of one message changed. */
const changed = (records: TraceRecord[], index: number, at: number, value: number) =>
  records.map((record, number) => {
    if (number !== index) return record;
    const message = record.message.slice();
    message[at] = value;
    return { ...record, message };
  });

test('DMA by messages is answered as recorded', () => {
  const records = recordDma();
  expect(records.filter((record) => commandOf(record) === Command.DMA_READ)).toHaveLength(2);
  expect(replay(fresh(), records).differences).toEqual([]);
  // The ids of the server's commands are its own affair.
  const renumbered = records.map((record) => {
    const message = record.message.slice();
    if ([Command.DMA_READ, Command.DMA_WRITE].includes(commandOf(record) as 11)) message[1]! ^= 0x40;
    return { ...record, message };
  });
  expect(replay(fresh(), renumbered).differences).toEqual([]);
});

test('other data in a recorded answer reaches the device, and what it makes of that is a difference', () => {
  const records = recordDma();
  const reply = records.findIndex(
    (record) => record.origin === Origin.CLIENT && commandOf(record) === Command.DMA_READ,
  );
  const write = records.findIndex(
    (record) => record.origin === Origin.SERVER && commandOf(record) === Command.DMA_WRITE,
  );
  const { differences } = replay(fresh(), changed(records, reply, HEADER_BYTES + 16, 99));
  expect(differences).toHaveLength(1);
  expect(differences[0]).toMatchObject({ record: write, command: Command.DMA_WRITE });
  expect(differences[0]!.recorded).toMatch(/05060708$/);
  expect(differences[0]!.replayed).toMatch(/63060708$/);
});

describe('timers', () => {
  const FOUND = 0x20n;
  /** A device that counts down, then takes 4 bytes of guest memory, and again as often as it was told. */
  const countdown = () => {
    const device = pciDevice({
      vendor: 1,
      device: 2,
      registers: {
        0: {
          size: 4096,
          registers: {
            START: { offset: 0, access: 'WO', write: (rounds) => void wait(rounds) },
            DONE: { offset: 4, access: 'RO' },
            DATA: { offset: 8, access: 'RO' },
          },
        },
      },
    });
    const wait = (rounds: number) =>
      device.bus.after(3, () => {
        const data = new Uint8Array(4);
        device.bus.task(() => {
          device.bus.dma.read(FOUND, data);
          device.blocks[0]!.set('DATA', data);
        });
        device.blocks[0]!.set('DONE', device.blocks[0]!.get('DONE') + 1);
        if (rounds > 1) wait(rounds - 1);
      });
    return device;
  };

  /** A session in which a client polls until the device has done its rounds. */
  function recordCountdown(rounds: number): TraceRecord[] {
    const file = path.join(directory.path, `t${rounds}.pcapng`);
    const memory = new FakeMemory(4096);
    memory.bytes.set(DATA, Number(FOUND));
    const server = new DeviceServer(countdown());
    startTrace(server, { file });
    const channel = new LoopbackChannel(server);
    const client = Client.open(channel, { memory });
    channel.whileServerWaits = () => client.serveUntil(() => !channel.hasSent);
    client.regionWrite(PciRegion.CONFIG, 4, Uint8Array.of(6, 0));
    client.dmaMap({ flags: 3, offset: 0n, address: 0n, size: 4096n });
    client.write32(0, 0, rounds);
    while (client.read32(0, 4) < rounds);
    client.read32(0, 8);
    stopTrace(server);
    client.close();
    return readPcapng(readFileSync(file)).records;
  }

  test('run as they ran in the recording, to the message', () => {
    const records = recordCountdown(5);
    expect(records.reduce((sum, { timers = 0 }) => sum + timers, 0)).toBe(5);
    expect(replay(countdown(), records).differences).toEqual([]);
    const later = records.map((record) => ({ ...record, timers: 0 }));
    expect(replay(countdown(), later).differences.length).toBeGreaterThan(0);
  });

  test("run by the recording's time where it does not say which ran", () => {
    const records = recordCountdown(1).map((record) => ({ ...record, timers: undefined }));
    const { differences } = replay(countdown(), records);
    // A read that came as the timer did may have been either side of it; DMA and what it brought are the same.
    expect(differences.filter(({ command }) => command !== Command.REGION_READ)).toEqual([]);
    expect(differences.filter(({ recorded }) => recorded?.endsWith(Buffer.from(DATA).toString('hex')))).toEqual([]);
  });
});

describe('a recording', () => {
  /** What one client after the other does to a device, as recorded from the first one on. */
  function record(device: VfioDevice, clients: ((client: Client) => void)[], options: DeviceServerOptions = {}) {
    const file = path.join(directory.path, `${options.keepState === true}.pcapng`);
    const server = new DeviceServer(device, options);
    startTrace(server, { file });
    for (const use of clients) {
      const client = Client.open(new LoopbackChannel(server));
      use(client);
      client.close();
      server.disconnect();
    }
    stopTrace(server);
    return readPcapng(readFileSync(file)).records;
  }

  const passphrase = (client: Client) => {
    client.write32(0, Reg.PASSPHRASE_CMD, PassphraseCmd.GENERATE);
    return Buffer.from(client.regionRead(0, Reg.PASSPHRASE_BUFFER, 256))
      .toString('latin1')
      .split('\0')[0]!;
  };

  test('has the random bytes too: the same passphrases, and others where it lacks them', () => {
    const found: string[] = [];
    const records = record(fresh(), [(client) => found.push(passphrase(client), passphrase(client))]);
    expect(new Set(found).size).toBe(2);
    expect(replay(fresh(), records).differences).toEqual([]);
    const without = records.filter(({ origin }) => origin !== Origin.RANDOM);
    expect(replay(fresh(), without).differences.length).toBeGreaterThan(0);
  });

  test('of one client after the other resets the device between them, or keeps its state as the server did', () => {
    const use = (client: Client) => {
      client.read32(0, Reg.STATUS);
      client.write32(0, Reg.STATUS, 7);
    };
    const records = record(fresh(), [use, use]);
    expect(replay(fresh(), records)).toMatchObject({ commands: 6, differences: [] });
    expect(replay(fresh(), records, { keepState: true }).differences).toHaveLength(1);
    const kept = record(fresh(), [use, use], { keepState: true });
    expect(replay(fresh(), kept, { keepState: true }).differences).toEqual([]);
    expect(replay(fresh(), kept).differences).toHaveLength(1);
  });

  test('with a second VERSION, which is refused and begins nothing', () => {
    const records = record(fresh(), [
      (client) => {
        client.write32(0, Reg.STATUS, 7);
        expect(codeOf(() => client.request(Command.VERSION, encodeVersion({ major: 0, minor: 1 })))).toBe('REPLY');
        client.read32(0, Reg.STATUS);
      },
    ]);
    expect(replay(fresh(), records).differences).toEqual([]);
  });

  test('that begins in the middle of a session is refused, since it lacks what the device knew', () => {
    const records = record(fresh(), [(client) => client.read32(0, Reg.STATUS)]);
    expect(() => replay(fresh(), records.slice(2))).toThrow(/begins with REGION_READ, in the middle of a session/);
  });

  test('with more timers between two messages than a byte can count', () => {
    let ticks = 0;
    const ticker = () => {
      ticks = 0;
      const device = pciDevice({
        vendor: 1,
        device: 2,
        registers: { 0: { size: 4096, registers: { TICKS: { offset: 0, access: 'RO', read: () => ticks } } } },
        attached: ({ bus }) => {
          const tick = () => {
            ticks++;
            bus.after(1, tick);
          };
          bus.after(1, tick);
        },
      });
      return device;
    };
    let now = 0;
    const device = ticker();
    const file = path.join(directory.path, 'ticks.pcapng');
    const server = new DeviceServer(device, { clock: () => now });
    startTrace(server, { file });
    const client = Client.open(new LoopbackChannel(server));
    for (; now < 1000; now++) server.runTimers();
    expect(client.read32(0, 0)).toBeGreaterThan(900);
    stopTrace(server);
    expect(replay(ticker(), readPcapng(readFileSync(file)).records).differences).toEqual([]);
  });
});

test('a recorded refusal is a refusal again', () => {
  const records = recordDma();
  const reply = records.findIndex(
    (record) => record.origin === Origin.CLIENT && commandOf(record) === Command.DMA_READ,
  );
  const message = records[reply]!.message.slice(0, HEADER_BYTES);
  viewOf(message).setUint32(4, HEADER_BYTES, true);
  viewOf(message).setUint32(8, 0x21, true);
  viewOf(message).setUint32(12, 5, true);
  const refused = records.map((record, index) => (index === reply ? { ...record, message } : record));
  const { differences } = replay(fresh(), refused);
  // DMA_STATUS says error, and the copy back gives zeros.
  expect(differences.map(({ command }) => command)).toEqual([Command.REGION_READ, Command.DMA_WRITE]);
});

test('DMA that is missing, or that is not recorded, is a difference and keeps nobody waiting', () => {
  const records = recordDma();
  const isDma = (record: TraceRecord) =>
    commandOf(record) === Command.DMA_READ || commandOf(record) === Command.DMA_WRITE;
  const begin = performance.now();
  const more = replay(
    fresh(),
    records.filter((record) => !isDma(record)),
  ).differences;
  expect(performance.now() - begin).toBeLessThan(2000);
  expect(more.filter(({ recorded }) => recorded === undefined).map(({ command }) => command)).toEqual([
    Command.DMA_READ,
    Command.DMA_WRITE,
  ]);
  const less = replay(createMockAccel({ uuid: 'U', dma: false }), records).differences;
  expect(less.filter(({ replayed }) => replayed === undefined).map(({ command }) => command)).toEqual([
    Command.DMA_READ,
    Command.DMA_WRITE,
  ]);
});
