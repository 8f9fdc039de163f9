import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { dup2, eventfd } from '@kata-mock/posix';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Client } from '../client/client.ts';
import { Reg } from '../mock-accel/gen/registers.ts';
import { createMockAccel } from '../mock-accel/mock-accel.ts';
import { registerNames } from '../mock-accel/register-names.ts';
import { PciIrq, PciRegion } from '../protocol/index.ts';
import { replay } from '../replay/replay.ts';
import { DeviceServer } from '../server/device-server.ts';
import { codeOf, connectLoopback, FakeMemory, openDescriptors, temporaryDirectory } from '../testing.ts';
import { LoopbackChannel } from '../transport/loopback.ts';
import { startTrace, stopTrace } from './control.ts';
import { describeRecord, formatMessage } from './describe.ts';
import { readPcapng } from './pcapng.ts';

let directory: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => directory.remove());

/** Records a session with a device and gives the file. */
function record(): string {
  const file = path.join(directory.path, 'session.pcapng');
  const server = new DeviceServer(createMockAccel({ uuid: 'TRACED' }));
  startTrace(server, { file });
  const again = connectTo(server);
  again.deviceInfo();
  again.write32(0, Reg.STATUS, 0xcafe);
  again.regionWrite(0, Reg.IRQ_ENABLE, Uint8Array.of(1, 0, 0, 0), { posted: true });
  expect(again.read32(0, Reg.STATUS)).toBe(0xcafe);
  const fd = eventfd();
  again.setIrqs({ index: PciIrq.MSIX, start: 0, count: 1, data: 'eventfd', action: 'trigger' }, [fd]);
  closeSync(fd);
  expect(codeOf(() => again.regionRead(0, 0x1000, 4))).toBe('REPLY');
  again.regionRead(7, 0, 4096);
  again.close();
  expect(stopTrace(server).messages).toBe(15);
  return file;
}

const connectTo = (server: DeviceServer) => Client.open(new LoopbackChannel(server));

describe('a trace', () => {
  test('has every message, with register names, in a file only its owner reads', () => {
    const file = record();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const { device, records } = readPcapng(readFileSync(file));
    expect(device).toBe('mock-accel');
    expect(records).toHaveLength(15);
    const lines = records.map((one) => formatMessage(describeRecord(one, registerNames)));
    expect(lines[4]).toMatch(
      /> +2 command REGION_WRITE region=bar0 offset=0x2c register=STATUS count=4 data=0x0000cafe$/,
    );
    expect(lines[6]).toMatch(/REGION_WRITE .*register=IRQ_ENABLE .*posted$/);
    expect(lines[8]).toMatch(/< +4 reply +REGION_READ .*data=0x0000cafe$/);
    expect(lines[9]).toMatch(/DEVICE_SET_IRQS .*fds=1$/);
    expect(lines[12]).toMatch(/error +REGION_READ EINVAL$/);
    const times = records.map(({ time }) => time);
    expect([...times].sort((a, b) => (a < b ? -1 : 1))).toEqual(times);
    expect(Math.abs(Number(times[0]! / 1_000_000n) - Date.now())).toBeLessThan(60_000);
  });

  test('says what every kind of message carries, and in JSON loses none of it', () => {
    const file = path.join(directory.path, 'all.pcapng');
    const server = new DeviceServer(createMockAccel());
    startTrace(server, { file });
    const memory = new FakeMemory(4096);
    const channel = new LoopbackChannel(server);
    const client = Client.open(channel, { memory });
    channel.whileServerWaits = () => client.serveUntil(() => !channel.hasSent);
    const write = (offset: number, value: number) => ({ region: 0, offset, data: Uint8Array.of(value, 0, 0, 0) });
    client.writeMulti([write(Reg.STATUS, 5), write(Reg.DMA_LEN, 100)]);
    client.regionWrite(PciRegion.CONFIG, 4, Uint8Array.of(6, 0));
    client.dmaMap({ flags: 3, offset: 0n, address: 0n, size: 4096n });
    memory.bytes.fill(0xab, 0, 100);
    client.write32(0, Reg.DMA_CMD, 1);
    client.regionInfo(0);
    stopTrace(server);
    client.close();
    const described = readPcapng(readFileSync(file)).records.map((one) => describeRecord(one, registerNames));
    const find = (command: string, type: string) =>
      described.find((one) => one.command === command && one.type === type)?.payload;
    expect(find('REGION_WRITE_MULTI', 'command')).toEqual({
      writes: [
        { region: 'bar0', offset: '0x2c', register: 'STATUS', data: '0x00000005' },
        { region: 'bar0', offset: `0x${Reg.DMA_LEN.toString(16)}`, register: 'DMA_LEN', data: '0x00000064' },
      ],
    });
    expect(find('REGION_WRITE_MULTI', 'reply')).toEqual({ done: 2 });
    expect(find('DMA_READ', 'command')).toEqual({ address: '0x0', count: 100 });
    expect(find('DMA_READ', 'reply')).toEqual({ address: '0x0', count: 100, data: 'ab'.repeat(100) });
    expect(find('DEVICE_GET_REGION_INFO', 'reply')).toMatchObject({ region: 'bar0', size: '0x1000' });
    const line = formatMessage(described.find(({ command, type }) => command === 'DMA_READ' && type === 'reply')!);
    expect(line).toMatch(/address=0x0 count=100 data=(ab)+$/);
  });

  test('does not overwrite a file, and is one at a time', () => {
    const file = record();
    const { server } = connectLoopback(createMockAccel());
    expect(codeOf(() => startTrace(server, { file }))).toBe('EEXIST');
    startTrace(server, { file: `${file}.2` });
    expect(codeOf(() => startTrace(server, { file: `${file}.3` }))).toBe('INVALID_OPTION');
    stopTrace(server);
    expect(codeOf(() => stopTrace(server))).toBe('NOT_FOUND');
  });

  test('a damaged file is refused or read, never more', () => {
    const bytes = readFileSync(record());
    for (let cut = 0; cut < bytes.length; cut += 7) {
      const code = codeOf(() => readPcapng(bytes.subarray(0, cut)));
      expect([undefined, 'INVALID_OPTION']).toContain(code);
    }
    for (let at = 0; at < bytes.length; at++) {
      const changed = Uint8Array.from(bytes);
      changed[at]! ^= 0xff;
      const code = codeOf(() => readPcapng(changed).records.map((one) => describeRecord(one)));
      expect([undefined, 'INVALID_OPTION']).toContain(code);
    }
  });
});

describe('a replay', () => {
  test('of a session gives the same answers from a fresh device', () => {
    const { records } = readPcapng(readFileSync(record()));
    expect(replay(createMockAccel({ uuid: 'TRACED' }), records)).toEqual({ commands: 8, differences: [] });
  });

  test('shows where another device answers otherwise', () => {
    const { records } = readPcapng(readFileSync(record()));
    const { differences } = replay(createMockAccel({ uuid: 'TRACED', revision: 9 }), records);
    expect(differences).toHaveLength(1);
    expect(describeRecord(records[differences[0]!.record]!).payload).toMatchObject({ region: 'config', count: 4096 });
  });
});

test('a full disk ends the trace, which is logged and said by who stops it, and the device goes on', async () => {
  const file = path.join(directory.path, 'full.pcapng');
  const logged: string[] = [];
  const server = new DeviceServer(createMockAccel(), { log: (_, message) => logged.push(message) });
  startTrace(server, { file });
  const client = connectTo(server);
  const descriptor = openDescriptors()
    .find((line) => line.endsWith(file))!
    .split(' ')[0];
  const full = openSync('/dev/full', 'w');
  dup2(full, Number(descriptor));
  closeSync(full);
  // More than the trace's buffer holds.
  for (let count = 0; count < 3000; count++) expect(client.read32(0, Reg.STATUS)).toBe(1);
  await vi.waitFor(() => {
    server.runTimers();
    expect(logged).toEqual([expect.stringMatching(/ended by itself before message \d+: ENOSPC/)]);
  });
  expect(codeOf(() => stopTrace(server))).toBe('TRACE');
  expect(client.read32(0, Reg.STATUS)).toBe(1);
  expect(() => stopTrace(server)).toThrow('no trace is under way');
  expect(readPcapng(readFileSync(file)).records).toEqual([]);
  client.close();
});
