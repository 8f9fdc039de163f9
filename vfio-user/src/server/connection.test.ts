import { closeSync } from 'node:fs';
import { dup, POLLIN, poll, recvmsg, SHUT_WR, sendmsg, shutdown, socketpair } from '@kata-mock/posix';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  Command,
  encodeDeviceInfo,
  encodeDmaMap,
  encodeMessage,
  encodeRegionInfoRequest,
  encodeVersion,
  HeaderFlag,
} from '../protocol/index.ts';
import { openDescriptors } from '../testing.ts';
import { SocketChannel } from '../transport/socket-channel.ts';
import { DeviceServer } from './device-server.ts';
import type { Session } from './session.ts';
import { TestDevice } from './test-device.ts';

let before: string[];
let device: TestDevice;
let server: DeviceServer;
let session: Session;
let client: number;

beforeEach(() => {
  before = openDescriptors();
  device = new TestDevice();
  server = new DeviceServer(device);
  const [ours, theirs] = socketpair();
  client = theirs;
  session = server.connect(new SocketChannel(ours));
});
afterEach(() => {
  server.disconnect();
  device.close();
  closeSync(client);
  expect(openDescriptors()).toEqual(before);
});

const send = (command: number, payload: Uint8Array, flags = 0) =>
  sendmsg(client, encodeMessage({ id: 1, command, flags, errno: 0 }, payload));
const version = (twin: boolean) =>
  encodeVersion({
    major: 0,
    minor: 1,
    capabilities: { max_msg_fds: 8, ...(twin && { twin_socket: { supported: true } }) },
  });
const isReadable = (fd: number) => poll([{ fd, events: POLLIN }], 0)[0] !== 0;
/** Serves one message; gives the number of descriptors that came with its answer, undefined for no answer. */
const answer = () => {
  session.step(100);
  session.flush();
  if (!isReadable(client)) return undefined;
  const { bytes, fds } = recvmsg(client, new Uint8Array(4096), { maxFds: 8 });
  for (const fd of fds) closeSync(fd);
  return bytes > 0 ? fds.length : undefined;
};

describe('descriptors of a reply', () => {
  const commands = Array.from({ length: 20 }, (_, number) => number).filter((number) => number !== Command.VERSION);

  test.each(commands)('go with no other: nothing comes after command %i whose answer nobody wanted', (command) => {
    send(Command.VERSION, version(false));
    expect(answer()).toBe(0);
    for (const region of [1, 2]) {
      send(command, encodeRegionInfoRequest(region, 256), HeaderFlag.NO_REPLY);
      expect(answer()).toBeUndefined();
    }
    send(Command.DEVICE_GET_INFO, encodeDeviceInfo({ flags: 0, regions: 0, irqs: 0 }));
    expect(answer()).toBe(0);
  });

  test('VERSION without a reply is refused: it could tell of a second socket', () => {
    send(Command.VERSION, version(true), HeaderFlag.NO_REPLY);
    expect(answer()).toBeUndefined();
    expect(session.state).toBe('closed');
  });

  test('a second socket comes with the answer that tells of it', () => {
    send(Command.VERSION, version(true));
    expect(answer()).toBe(1);
    send(Command.DEVICE_GET_INFO, encodeDeviceInfo({ flags: 0, regions: 0, irqs: 0 }));
    expect(answer()).toBe(0);
  });

  test('a second socket is closed when nobody takes it any more', () => {
    send(Command.VERSION, version(true));
    const keep = dup(client);
    closeSync(client);
    client = keep;
    shutdown(client, 2);
    session.step(100);
    expect(session.step(100)).toBe(false);
  });
});

test('when the client leaves, what a device put off for it is dropped, and no message goes to the number its socket had', () => {
  const others: number[] = [];
  let later = 0;
  send(Command.VERSION, version(false));
  send(Command.DMA_MAP, encodeDmaMap({ flags: 3, offset: 0n, address: 0n, size: 4096n }));
  session.step(100);
  server.task(() => {
    const read = () => server.dma.read(0n, new Uint8Array(4));
    expect(read).toThrow(/client left/);
    others.push(...socketpair());
    expect(others).toContain((session.channel as SocketChannel).fd);
    expect(read).toThrow(/client left/);
    session.channel.sendLater(new Uint8Array(16), 16);
    expect(() => session.channel.flush()).toThrow(/closed/);
    session.channel.close();
  });
  server.task(() => {
    later++;
  });
  shutdown(client, SHUT_WR);
  server.runTasks();
  expect(others.map(isReadable)).toEqual([false, false]);
  expect(later).toBe(0);
  for (const fd of others) closeSync(fd);
});

test('a device that keeps its state learns how what it had put off ends', () => {
  server.disconnect();
  server = new DeviceServer(device, { keepState: true });
  const [ours, theirs] = socketpair();
  session = server.connect(new SocketChannel(ours));
  server.dma.map({ flags: 3, offset: 0n, address: 0n, size: 4096n }, undefined);
  const outcomes: unknown[] = [];
  server.task(() => {
    try {
      server.dma.read(0n, new Uint8Array(4));
    } catch (error) {
      outcomes.push((error as Error).message);
    }
  });
  closeSync(theirs);
  expect(session.step(100)).toBe(false);
  server.disconnect();
  expect(outcomes).toEqual(['guest address 0x0 is not mapped']);
});
