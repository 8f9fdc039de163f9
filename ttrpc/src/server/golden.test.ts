import { expect, test } from 'vitest';
import { peerOfEcho } from '../testing/served.ts';
import type { WirePeer } from '../testing/wire-peer.ts';

const text = (value: string) => Buffer.concat([Buffer.of(0x0a, value.length), Buffer.from(value)]);
const hex = (value: string) => text(value).toString('hex');

/** The connection has survived: an ordinary call on a fresh id is answered. */
async function expectAlive(peer: WirePeer, id = 101): Promise<void> {
  peer.request(id, 0, { payload: text('alive') });
  expect(await peer.told()).toBe(`${id}: OK ${hex('alive')}`);
}

test('a unary call and its answer, byte by byte', async () => {
  const peer = peerOfEcho();
  peer.bytes(`
    0000 0021 0000 0001 01 00
    0a 12 74747270632e746573742e76312e4563686f
    12 05 556e617279
    1a 04 0a026869`);
  const { id, type, flags, body } = await peer.next();
  expect({ id, type, flags, body: body.toString('hex') }).toEqual({ id: 1, type: 2, flags: 0, body: '12040a026869' });
  expect(Buffer.concat(peer.received).toString('hex')).toBe('000000060000000102' + '00' + '12040a026869');
});

test('a call that fails, byte by byte', async () => {
  const peer = peerOfEcho();
  peer.request(1, 0, { service: 'no' });
  await peer.next();
  // Response{status{code 12, message "service no"}}
  expect(Buffer.concat(peer.received).toString('hex')).toBe(
    `00000010000000010200${'0a0e'}080c${'120a'}${Buffer.from('service no').toString('hex')}`,
  );
});

test('a server stream: data frames, then a closing one without data', async () => {
  const peer = peerOfEcho();
  peer.request(1, 1, { method: 'ServerStream', payload: text('a b') });
  expect(await peer.told()).toBe(`1: type 3 flags 0 ${hex('a')}`);
  expect(await peer.told()).toBe(`1: type 3 flags 0 ${hex('b')}`);
  expect(await peer.told()).toBe('1: type 3 flags 5');
});

test('a client stream: data frames, then one response', async () => {
  const peer = peerOfEcho();
  peer.request(1, 2, { method: 'ClientStream' });
  peer.frame(1, 3, 0, text('a'));
  peer.frame(1, 3, 0, text('b'));
  peer.frame(1, 3, 5);
  expect(await peer.told()).toBe(`1: OK ${hex('a b')}`);
});

test('a client stream whose first message came with the request', async () => {
  const peer = peerOfEcho();
  peer.request(1, 2, { method: 'ClientStream', payload: text('a') });
  peer.frame(1, 3, 0, text('b'));
  peer.frame(1, 3, 5);
  expect(await peer.told()).toBe(`1: OK ${hex('a b')}`);
});

test('the flags of a request that opens a stream do not matter to the server', async () => {
  const peer = peerOfEcho();
  for (const [id, flags] of [
    [1, 0],
    [3, 1],
    [5, 2],
    [7, 6],
    [9, 0xff],
  ] as const) {
    peer.request(id, flags, { method: 'Bidi' });
    peer.frame(id, 3, 0, text('x'));
    peer.frame(id, 3, 5);
    expect(await peer.told()).toBe(`${id}: type 3 flags 0 ${hex('x')}`);
    expect(await peer.told()).toBe(`${id}: type 3 flags 5`);
  }
});

test('an empty message in a stream is a message, and a frame without data is none', async () => {
  const peer = peerOfEcho();
  peer.request(1, 2, { method: 'Bidi' });
  peer.frame(1, 3, 0);
  expect(await peer.told()).toBe('1: type 3 flags 0');
  peer.frame(1, 3, 4);
  peer.frame(1, 3, 5);
  expect(await peer.told()).toBe('1: type 3 flags 5');
});

test('an empty message that answers a call is a response of length 0', async () => {
  const peer = peerOfEcho();
  peer.request(1, 0, { method: 'Empty' });
  await peer.next();
  expect(Buffer.concat(peer.received).toString('hex')).toBe('00000000000000010200');
});

test('a server stream whose request is empty still begins', async () => {
  const peer = peerOfEcho();
  peer.request(1, 1, { method: 'ServerStream' });
  expect(await peer.told()).toBe('1: type 3 flags 0');
  expect(await peer.told()).toBe('1: type 3 flags 5');
});

const undecodable = Buffer.from('0aff', 'hex');
const big = Buffer.alloc(4 * 1024 * 1024 + 1);

/** What a client does wrong, on ids up to 99, and what it is told for each wrong frame. */
const wrong: { name: string; send: (peer: WirePeer) => void; told: string[] }[] = [
  {
    name: 'an even stream id',
    send: (peer) => peer.request(2, 0, {}),
    told: ['2: INVALID_ARGUMENT StreamID must be odd for client initiated streams'],
  },
  {
    name: 'stream id 0',
    send: (peer) => peer.request(0, 0, {}),
    told: ['0: INVALID_ARGUMENT StreamID must be odd for client initiated streams'],
  },
  {
    name: 'a request that does not decode, whose id is then used',
    send: (peer) => {
      peer.frame(3, 1, 0, undecodable);
      peer.request(3, 0, {});
    },
    told: [
      '3: INVALID_ARGUMENT unmarshal request error: varint cut off',
      '3: INVALID_ARGUMENT StreamID cannot be re-used and must increment',
    ],
  },
  {
    name: 'a service name that is not UTF-8',
    send: (peer) => peer.frame(3, 1, 0, '0a02fffe'),
    told: [expect.stringMatching(/^3: INVALID_ARGUMENT unmarshal request error: .+/) as unknown as string],
  },
  {
    name: 'an id that is used again',
    send: (peer) => {
      peer.request(5, 0, { payload: text('a') });
      peer.request(5, 0, { payload: text('b') });
    },
    told: [`5: OK ${hex('a')}`, '5: INVALID_ARGUMENT StreamID cannot be re-used and must increment'],
  },
  {
    name: 'an id below the last one',
    send: (peer) => {
      peer.request(7, 0, { payload: text('a') });
      peer.request(3, 0, { payload: text('b') });
    },
    told: [`7: OK ${hex('a')}`, '3: INVALID_ARGUMENT StreamID cannot be re-used and must increment'],
  },
  {
    name: 'a service nobody offers',
    send: (peer) => peer.request(1, 0, { service: 'x.Y' }),
    told: ['1: UNIMPLEMENTED service x.Y'],
  },
  {
    name: 'a method nobody offers',
    send: (peer) => peer.request(1, 0, { method: 'Nope' }),
    told: ['1: UNIMPLEMENTED method Nope'],
  },
  {
    name: 'an empty request',
    send: (peer) => peer.frame(1, 1, 0),
    told: ['1: UNIMPLEMENTED service '],
  },
  {
    name: 'a payload that does not decode',
    send: (peer) => peer.request(1, 0, { payload: undecodable }),
    told: [expect.stringMatching(/^1: INTERNAL ttrpc: error unmarshalling payload: .+/) as unknown as string],
  },
  {
    name: 'data for a stream that never was',
    send: (peer) => peer.frame(9, 3, 0, text('a')),
    told: ['9: INVALID_ARGUMENT StreamID is no longer active'],
  },
  {
    name: 'data for a call in flight that takes none',
    send: (peer) => {
      peer.request(1, 0, { method: 'Slow' });
      peer.frame(1, 3, 0, text('a'));
    },
    told: ['1: INVALID_ARGUMENT data handling error: the call takes no data'],
  },
  {
    name: 'closing what was never open, and a type nobody knows: both ignored',
    send: (peer) => {
      peer.request(1, 0, { method: 'Slow', timeoutMs: 1 });
      peer.frame(1, 3, 5);
      peer.frame(3, 9, 0, text('future'));
      peer.frame(3, 2, 0, text('a response'));
    },
    told: ['1: DEADLINE_EXCEEDED context deadline exceeded'],
  },
  {
    name: 'data behind the close of a stream',
    send: (peer) => {
      peer.request(1, 2, { method: 'ClientStream' });
      peer.frame(1, 3, 5);
      peer.frame(1, 3, 0, text('late'));
    },
    told: ['1: INVALID_ARGUMENT data handling error: ttrpc: stream closed', '1: OK'],
  },
  {
    name: 'a closing frame with a payload: told, and delivered all the same',
    send: (peer) => {
      peer.request(1, 2, { method: 'ClientStream' });
      peer.frame(1, 3, 0, text('a'));
      peer.frame(1, 3, 1, text('b'));
    },
    told: ['1: INVALID_ARGUMENT data close message cannot include data', `1: OK ${hex('a b')}`],
  },
  {
    name: 'a message in a stream that does not decode',
    send: (peer) => {
      peer.request(1, 2, { method: 'ClientStream' });
      peer.frame(1, 3, 0, undecodable);
    },
    told: [expect.stringMatching(/^1: INTERNAL ttrpc: error unmarshalling payload: .+/) as unknown as string],
  },
  {
    name: 'a body over the limit, whose id is not used up by it',
    send: (peer) => {
      peer.frame(1, 1, 0, big);
      peer.request(1, 0, { payload: text('a') });
    },
    told: ['1: RESOURCE_EXHAUSTED message length 4194305 exceed maximum message size of 4194304', `1: OK ${hex('a')}`],
  },
  {
    name: 'a message over the limit in a running stream, which then has a hole',
    send: (peer) => {
      peer.request(1, 2, { method: 'ClientStream' });
      peer.frame(1, 3, 0, big);
      peer.frame(1, 3, 5);
    },
    told: [
      '1: RESOURCE_EXHAUSTED message length 4194305 exceed maximum message size of 4194304',
      '1: INVALID_ARGUMENT StreamID is no longer active',
    ],
  },
  {
    name: 'asking for an answer over the limit',
    send: (peer) => peer.request(1, 0, { method: 'Big', payload: text('4194304') }),
    told: ['1: RESOURCE_EXHAUSTED message length 4194314 exceed maximum message size of 4194304'],
  },
  {
    name: 'a timeout that has run out',
    send: (peer) => peer.request(1, 0, { timeoutMs: -5, payload: text('a') }),
    told: ['1: DEADLINE_EXCEEDED context deadline exceeded'],
  },
];

test.for(wrong)('$name is answered by its rule, and the connection lives', async ({ send, told }) => {
  const peer = peerOfEcho();
  send(peer);
  for (const words of told) expect(await peer.told()).toEqual(words);
  await expectAlive(peer);
});

test('a body of exactly 4 MiB passes', async () => {
  const peer = peerOfEcho();
  // 4194304 less the names (27 bytes), the payload's tag and length (5), and the text's (5).
  const length = 4_194_304 - 27 - 5 - 5;
  const payload = Buffer.concat([Buffer.from('0a', 'hex'), varint(length), Buffer.alloc(length, 'x')]);
  peer.request(1, 0, { payload });
  const { body } = await peer.next();
  expect(body.length).toBe(payload.length + 5);
});

test('a handler that returns nothing fails as a nil reply does in Go', async () => {
  const peer = peerOfEcho({ unary: () => undefined as never });
  peer.request(1, 0, {});
  expect(await peer.told()).toBe('1: UNKNOWN ttrpc: marshal called with nil');
});

test('a client that hangs up in the middle of a frame ends the connection and cancels its calls', async () => {
  let resolve: (signal: AbortSignal) => void;
  const aborted = new Promise<AbortSignal>((settle) => {
    resolve = settle;
  });
  const peer = peerOfEcho({
    slow: (_request, { signal }) => {
      signal.addEventListener('abort', () => resolve(signal));
      return new Promise(() => {});
    },
  });
  peer.request(1, 0, { method: 'Slow' });
  peer.bytes('0000 00ff 0000');
  peer.duplex.end();
  expect((await aborted).reason).toMatchObject({ name: 'TtrpcError', codeName: 'CANCELED' });
});

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}
