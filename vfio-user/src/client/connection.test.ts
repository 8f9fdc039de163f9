import { closeSync } from 'node:fs';
import { eventfd, sendmsg, socketpair } from '@kata-mock/posix';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  Command,
  encodeDeviceInfo,
  encodeIoFds,
  encodeMessage,
  encodeRegionAccess,
  encodeRegionInfo,
  encodeVersion,
  HeaderFlag,
} from '../protocol/index.ts';
import { codeOf, openDescriptors } from '../testing.ts';
import { SocketChannel } from '../transport/socket-channel.ts';
import { Client } from './client.ts';

let before: string[];
let client: Client | undefined;
let server: number;
let spare: number;
/** Replies are sent before their commands: ids count from 0. */
let nextId: number;

beforeEach(() => {
  before = openDescriptors();
  spare = eventfd();
  nextId = 0;
});
/** Whatever came along with the replies, nothing of it stays. */
afterEach(() => {
  client?.close();
  client = undefined;
  closeSync(server);
  closeSync(spare);
  expect(openDescriptors()).toEqual(before);
});

/** A reply with two descriptors. */
function reply(command: number, payload: Uint8Array, errno = 0): void {
  const flags = HeaderFlag.TYPE_REPLY | (errno === 0 ? 0 : HeaderFlag.ERROR);
  sendmsg(server, encodeMessage({ id: nextId++, command, flags, errno }, payload), { fds: [spare, spare] });
}

function open(capabilities = {}): Client {
  const [ours, theirs] = socketpair();
  server = theirs;
  reply(Command.VERSION, encodeVersion({ major: 0, minor: 1, capabilities }));
  client = Client.open(new SocketChannel(ours));
  return client;
}

test('descriptors of a reply that should have none are closed', () => {
  const one = open();
  const read = encodeRegionAccess({ offset: 0, region: 0, count: 4 }, new Uint8Array(4));
  for (let count = 0; count < 3; count++) {
    reply(Command.REGION_READ, read);
    one.regionRead(0, 0, 4);
  }
  reply(Command.DEVICE_GET_INFO, encodeDeviceInfo({ flags: 2, regions: 9, irqs: 5 }));
  one.deviceInfo();
  reply(Command.DEVICE_RESET, new Uint8Array(0), 5);
  expect(codeOf(() => one.reset())).toBe('REPLY');
});

test('of a region there is one descriptor, the others are closed', () => {
  const one = open();
  reply(Command.DEVICE_GET_REGION_INFO, encodeRegionInfo({ flags: 7, index: 0, size: 4096n, offset: 0n }, 32));
  const { fd } = one.regionInfo(0);
  expect(fd).toBeGreaterThan(0);
  closeSync(fd);
});

test('descriptors of an answer that cannot be read are closed', () => {
  const one = open();
  reply(Command.DEVICE_GET_REGION_INFO, new Uint8Array(3));
  expect(codeOf(() => one.regionInfo(0))).toBe('PROTOCOL');
  reply(Command.DEVICE_GET_REGION_IO_FDS, new Uint8Array(3));
  expect(codeOf(() => one.regionIoFds(0))).toBe('PROTOCOL');
});

test("those of I/O descriptors are the caller's", () => {
  const one = open();
  reply(Command.DEVICE_GET_REGION_IO_FDS, encodeIoFds(0, [], 4096));
  const { fds } = one.regionIoFds(0);
  expect(fds).toHaveLength(2);
  for (const fd of fds) closeSync(fd);
});

test('replies that nobody asked for any more are closed with the client', () => {
  const one = open();
  const info = encodeRegionInfo({ flags: 7, index: 0, size: 4096n, offset: 0n }, 32);
  reply(Command.DEVICE_GET_REGION_INFO, info);
  nextId--;
  reply(Command.DEVICE_GET_REGION_INFO, info);
  reply(Command.DEVICE_GET_INFO, encodeDeviceInfo({ flags: 2, regions: 9, irqs: 5 }));
  let looks = 0;
  one.serveUntil(() => ++looks > 3);
});

test('a VERSION that is no good closes connection and descriptors', () => {
  expect(codeOf(() => open({ twin_socket: { supported: true, fd_index: 7 } }))).toBe('PROTOCOL');
});
