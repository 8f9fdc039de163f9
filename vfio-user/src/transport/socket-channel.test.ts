import { closeSync, writeSync } from 'node:fs';
import {
  closeAll,
  eventfd,
  eventfdRead,
  eventfdWrite,
  POLLIN,
  poll,
  recvmsg,
  sendmsg,
  socketpair,
} from '@kata-mock/posix';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeMessage, Framer, HeaderFlag, MAX_MESSAGE_FDS } from '../protocol/index.ts';
import { openDescriptors } from '../testing.ts';
import { type ExtraDescriptors, SocketChannel } from './socket-channel.ts';

const message = encodeMessage({ id: 7, command: 9, flags: HeaderFlag.TYPE_COMMAND, errno: 0 }, new Uint8Array(16));
const reply = Uint8Array.of(1, 2, 3, 4);
let before: string[];
let peer: number;
let channel: SocketChannel;
let framer: Framer;

const open = (extra?: ExtraDescriptors) => {
  const [ours, theirs] = socketpair();
  peer = theirs;
  channel = new SocketChannel(ours, undefined, extra);
  framer = new Framer();
};
beforeEach(() => {
  before = openDescriptors();
});
afterEach(() => {
  closeSync(peer);
  expect(openDescriptors()).toEqual(before);
});
/** One message there and taken. */
const pass = () => {
  writeSync(peer, message);
  expect(channel.fill(framer, Number.POSITIVE_INFINITY)).toBe('data');
  expect(framer.next()).toBe('frame');
};
/** What the peer has got; undefined for nothing yet. */
const got = () => {
  if (poll([{ fd: peer, events: POLLIN }], 0)[0] === 0) return undefined;
  const bytes = Buffer.alloc(64);
  return [...bytes.subarray(0, recvmsg(peer, bytes).bytes)];
};

describe('a reply that is kept back', () => {
  test.each<[string, () => unknown]>([
    ['the next receive', pass],
    ['a wait with a time limit', () => expect(channel.fill(framer, 1)).toBe('idle')],
    ['a flush', () => channel.flush()],
    ['the end', () => channel.close()],
  ])('leaves with %s', (what, next) => {
    open();
    pass();
    channel.sendLater(reply, 4);
    expect(got()).toBeUndefined();
    next();
    expect(got()).toEqual([1, 2, 3, 4]);
    if (what !== 'the end') channel.close();
  });

  test('leaves before one that is not', () => {
    open();
    pass();
    channel.sendLater(reply, 4);
    channel.send(Uint8Array.of(5), 1, []);
    expect(got()).toEqual([1, 2, 3, 4, 5]);
    channel.close();
  });
});

test('descriptors of others are looked at though messages never pause', () => {
  const other = eventfd();
  let seen = 0;
  open({
    list: () => [other],
    ready: (fd) => {
      eventfdRead(fd);
      seen++;
    },
  });
  eventfdWrite(other);
  for (let count = 0; count < 64; count++) pass();
  expect(seen).toBe(1);
  channel.close();
  closeSync(other);
});

test('a message with more descriptors than agreed on ends the connection, and none of them stays', () => {
  const fds = Array.from({ length: MAX_MESSAGE_FDS + 1 }, () => eventfd());
  open();
  sendmsg(peer, message, { fds: fds.slice(1) });
  expect(channel.fill(framer, 1000)).toBe('data');
  framer.next();
  expect(framer.frame.fds).toHaveLength(MAX_MESSAGE_FDS);
  closeAll(framer.frame.fds.splice(0));
  sendmsg(peer, message, { fds });
  expect(channel.fill(framer, 1000)).toBe('closed');
  channel.close();
  closeAll(fds);
});
