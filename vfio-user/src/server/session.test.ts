import { closeSync } from 'node:fs';
import { dup, eventfd, eventfdRead, memfdCreate } from '@kata-mock/posix';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  Command,
  encodeMessage,
  encodeRegionAccess,
  encodeVersion,
  HeaderFlag,
  readHeader,
  viewOf,
} from '../protocol/index.ts';
import { openDescriptors } from '../testing.ts';
import { MemoryChannel } from '../transport/memory-channel.ts';
import { DeviceServer } from './device-server.ts';
import type { Session } from './session.ts';
import { TestDevice } from './test-device.ts';

let device: TestDevice;
let server: DeviceServer;
let channel: MemoryChannel;
let session: Session;
let before: string[];

beforeEach(() => {
  before = openDescriptors();
  device = new TestDevice();
  server = new DeviceServer(device);
  channel = new MemoryChannel();
  session = server.connect(channel);
});

afterEach(() => {
  server.disconnect();
  channel.takeSent();
  device.close();
  expect(openDescriptors()).toEqual(before);
});

/** Sends raw bytes and gives the headers of what came back. */
function exchange(bytes: Uint8Array, fds: number[] = []) {
  channel.push(bytes, fds);
  while (channel.hasIncoming && session.step(0));
  return replies(channel.takeSent());
}

function replies(sent: Uint8Array) {
  const found: { id: number; command: number; errno: number; size: number }[] = [];
  for (let at = 0; at < sent.length; ) {
    const { id, command, errno, size } = readHeader(viewOf(sent), at);
    found.push({ id, command, errno, size });
    at += size;
  }
  return found;
}

const command = (number: number, payload: Uint8Array = new Uint8Array(0), id = 1, flags = 0) =>
  encodeMessage({ id, command: number, flags, errno: 0 }, payload);

const open = () => exchange(command(Command.VERSION, encodeVersion({ major: 0, minor: 1, capabilities: {} })));

/** A complete header whose size field says something else. */
function withSize(bytes: Uint8Array, size: number): Uint8Array {
  viewOf(bytes).setUint32(4, size, true);
  return bytes;
}

describe('before VERSION', () => {
  test('any other command is refused and ends the session', () => {
    expect(exchange(command(Command.DEVICE_GET_INFO, new Uint8Array(16)))[0]!.errno).toBe(22);
    expect(session.state).toBe('closed');
  });

  test.each([
    ['no payload', new Uint8Array(0)],
    ['major 999', encodeVersion({ major: 999, minor: 0, capabilities: {} })],
    ['broken JSON', Buffer.concat([new Uint8Array(4), Buffer.from('{\0')])],
  ])('VERSION with %s is refused and ends the session', (_, payload) => {
    expect(exchange(command(Command.VERSION, payload))[0]!.errno).toBe(22);
    expect(session.state).toBe('closed');
  });

  test('VERSION with a descriptor is refused', () => {
    const payload = encodeVersion({ major: 0, minor: 1, capabilities: {} });
    expect(exchange(command(Command.VERSION, payload), [eventfd()])[0]!.errno).toBe(22);
  });

  test("the answer to a request of QEMU's size fits its buffer", () => {
    const capabilities = {
      pgsizes: 4096,
      max_msg_fds: 16,
      max_dma_maps: 65535,
      max_data_xfer_size: 1048576,
      migration: { max_bitmap_size: 268435456, pgsize: 4096 },
      write_multiple: true,
    };
    const request = command(Command.VERSION, encodeVersion({ major: 0, minor: 0, capabilities }));
    expect(exchange(request)[0]!.size).toBeLessThanOrEqual(request.length);
    expect(session.isQemu).toBe(true);
  });
});

describe('after VERSION', () => {
  beforeEach(() => {
    expect(open()[0]!.errno).toBe(0);
  });

  test('a second VERSION is refused', () => {
    expect(open()[0]!.errno).toBe(22);
    expect(session.state).toBe('open');
  });

  test.each([15, 0, 0xffff_ffff, (1 << 20) + 81])('a message of size %i is answered and ends the session', (size) => {
    const [reply] = exchange(withSize(command(Command.DEVICE_RESET, new Uint8Array(0), 77), size));
    expect(reply).toEqual({ id: 77, command: Command.DEVICE_RESET, errno: 22, size: 16 });
    expect(session.state).toBe('closed');
  });

  test('a reply nobody waits for is refused', () => {
    expect(exchange(command(Command.DEVICE_RESET, new Uint8Array(0), 3, HeaderFlag.TYPE_REPLY))[0]!.errno).toBe(22);
  });

  test('a late reply to a DMA command is dropped', () => {
    expect(exchange(command(Command.DMA_READ, new Uint8Array(20), 3, HeaderFlag.TYPE_REPLY))).toEqual([]);
  });

  test.each([0, 11, 12, 14, 19, 999, 65535])('command %i does not exist', (number) => {
    expect(exchange(command(number, new Uint8Array(32)))[0]!.errno).toBe(22);
    expect(session.state).toBe('open');
  });

  test.each([2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 16, 17, 18])('command %i without a payload is refused', (number) => {
    expect(exchange(command(number))[0]!.errno).toBe(22);
  });

  test.each([2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 16, 17, 18])('command %i with three bytes is refused', (number) => {
    expect(exchange(command(number, new Uint8Array(3)))[0]!.errno).toBe(22);
  });

  test.each(Array.from({ length: 20 }, (_, number) => number))(
    'descriptors of command %i are closed, wanted or not',
    (number) => {
      exchange(command(number, new Uint8Array(32)), [eventfd(), eventfd()]);
    },
  );

  test('an error reply is a bare header', () => {
    const read = encodeRegionAccess({ offset: 0, region: 4, count: 4 });
    expect(exchange(command(Command.REGION_READ, read, 5))).toEqual([
      { id: 5, command: Command.REGION_READ, errno: 22, size: 16 },
    ]);
  });

  test('an unreadable reply of the client ends nothing: the next command is served', () => {
    exchange(command(99, new Uint8Array(8)));
    expect(exchange(command(Command.DEVICE_RESET))[0]!.errno).toBe(0);
    expect(device.resets).toEqual(['command']);
  });

  test('messages delivered byte by byte are served', () => {
    const bytes = command(Command.REGION_READ, encodeRegionAccess({ offset: 4, region: 0, count: 4 }), 9);
    for (const byte of bytes.subarray(0, -1)) expect(exchange(Uint8Array.of(byte))).toEqual([]);
    expect(exchange(bytes.subarray(-1))).toEqual([{ id: 9, command: Command.REGION_READ, errno: 0, size: 36 }]);
  });

  test('two messages in one piece are both served, in order', () => {
    const one = command(Command.REGION_READ, encodeRegionAccess({ offset: 0, region: 0, count: 1 }), 1);
    const two = command(Command.DEVICE_RESET, new Uint8Array(0), 2);
    expect(exchange(Buffer.concat([one, two])).map(({ id }) => id)).toEqual([1, 2]);
  });

  test('a posted write is carried out before the read behind it, and is not answered', () => {
    const write = encodeRegionAccess({ offset: 8, region: 0, count: 4 }, Uint8Array.of(9, 8, 7, 6));
    const read = encodeRegionAccess({ offset: 8, region: 0, count: 4 });
    channel.push(
      Buffer.concat([
        command(Command.REGION_WRITE, write, 1, HeaderFlag.NO_REPLY),
        command(Command.REGION_READ, read, 2),
      ]),
    );
    session.step(0);
    const sent = channel.takeSent();
    expect(replies(sent).map(({ id }) => id)).toEqual([2]);
    expect([...sent.subarray(32)]).toEqual([9, 8, 7, 6]);
  });

  test('a posted write that fails is not answered', () => {
    const write = encodeRegionAccess({ offset: 1000, region: 0, count: 4 }, new Uint8Array(4));
    expect(exchange(command(Command.REGION_WRITE, write, 1, HeaderFlag.NO_REPLY))).toEqual([]);
    expect(session.state).toBe('open');
  });

  test('what goes wrong in a device model is an error reply, not the end', () => {
    device.bar0.read = () => {
      throw new TypeError('a bug');
    };
    const read = command(Command.REGION_READ, encodeRegionAccess({ offset: 0, region: 0, count: 4 }));
    expect(exchange(read)[0]!.errno).toBe(22);
    expect(exchange(command(Command.DEVICE_RESET))[0]!.errno).toBe(0);
  });

  test('eventfds and guest memory outlive a reset and end with the client', () => {
    const mine = eventfd();
    const memory = memfdCreate('guest', { size: 4096, seal: true });
    server.irqs.set({ index: 2, start: 0, count: 1, data: 'eventfd', action: 'trigger' }, [dup(mine)]);
    server.dma.map({ flags: 3, offset: 0n, address: 0n, size: 4096n }, memory);
    exchange(command(Command.DEVICE_RESET));
    expect(server.irqs.trigger(2, 0)).toBe('fired');
    expect(eventfdRead(mine)).toBe(1n);
    expect(server.dma.regions).toHaveLength(1);
    server.disconnect();
    expect(server.dma.regions).toHaveLength(0);
    expect(server.irqs.trigger(2, 0)).toBe('disabled');
    expect(device.resets).toEqual(['command', 'disconnect']);
    closeSync(mine);
  });
});
