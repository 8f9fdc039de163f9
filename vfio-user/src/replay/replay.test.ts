import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Client } from '../client/client.ts';
import { DmaCmd, Reg } from '../mock-accel/gen/registers.ts';
import { createMockAccel } from '../mock-accel/mock-accel.ts';
import { Command, HEADER_BYTES, PciRegion, readHeader, viewOf } from '../protocol/index.ts';
import { DeviceServer } from '../server/device-server.ts';
import { FakeMemory, temporaryDirectory } from '../testing.ts';
import { startTrace, stopTrace } from '../trace/control.ts';
import { readPcapng, type TraceRecord } from '../trace/pcapng.ts';
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
  const reply = records.findIndex((record) => !record.fromServer && commandOf(record) === Command.DMA_READ);
  const write = records.findIndex((record) => record.fromServer && commandOf(record) === Command.DMA_WRITE);
  const { differences } = replay(fresh(), changed(records, reply, HEADER_BYTES + 16, 99));
  expect(differences).toHaveLength(1);
  expect(differences[0]).toMatchObject({ record: write, command: Command.DMA_WRITE });
  expect(differences[0]!.recorded).toMatch(/05060708$/);
  expect(differences[0]!.replayed).toMatch(/63060708$/);
});

test('a recorded refusal is a refusal again', () => {
  const records = recordDma();
  const reply = records.findIndex((record) => !record.fromServer && commandOf(record) === Command.DMA_READ);
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
