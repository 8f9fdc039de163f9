import { once } from 'node:events';
import net from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createClient } from '../client/client.ts';
import { Connection } from '../client/connection.ts';
import { Code } from '../code.ts';
import { Echo, echoHandlers } from '../echo.ts';
import { TtrpcError } from '../errors.ts';
import { encodeRequest } from '../protocol/envelope.ts';
import { encodeFrame } from '../protocol/frame.ts';
import { collect, connectedPair } from '../testing/pair.ts';
import { echoClient, echoServer, peerOfEcho } from '../testing/served.ts';
import { tempFolder } from '../testing/temp.ts';
import { WirePeer } from '../testing/wire-peer.ts';
import { passTo } from './raw.ts';
import { Server } from './server.ts';

describe('handlers', () => {
  test('what a handler throws is a status', async () => {
    const thrown: [unknown, object][] = [
      [new TtrpcError(Code.ABORTED, 'mine'), { code: Code.ABORTED, message: 'mine' }],
      [new TtrpcError(Code.OK, 'an error all the same'), { code: Code.UNKNOWN, message: 'an error all the same' }],
      [new Error('plain'), { code: Code.UNKNOWN, message: 'plain' }],
      ['text', { code: Code.UNKNOWN, message: 'text' }],
      [Object.assign(new Error('no file'), { code: 'ENOENT' }), { code: Code.NOT_FOUND }],
      [Object.assign(new Error('there'), { code: 'EEXIST' }), { code: Code.ALREADY_EXISTS }],
      [Object.assign(new Error('no'), { code: 'EACCES' }), { code: Code.PERMISSION_DENIED }],
      [new DOMException('stop', 'AbortError'), { code: Code.CANCELED }],
      [new DOMException('late', 'TimeoutError'), { code: Code.DEADLINE_EXCEEDED }],
    ];
    for (const [error, expected] of thrown) {
      const fail = () => {
        throw error;
      };
      const { client } = echoClient({
        unary: fail,
        slow: async () => fail(),
        async *serverStream() {
          yield {};
          fail();
        },
        clientStream: fail,
        bidi: fail,
      });
      await expect(client.unary({})).rejects.toMatchObject(expected);
      await expect(client.slow({})).rejects.toMatchObject(expected);
      await expect(collect(client.serverStream({}))).rejects.toMatchObject(expected);
      await expect(client.clientStream([{}])).rejects.toMatchObject(expected);
      await expect(collect(client.bidi([{}]))).rejects.toMatchObject(expected);
    }
  });

  test('bytes that are no request have the status the server is told, INTERNAL without', async () => {
    for (const [undecodable, code] of [
      [undefined, Code.INTERNAL],
      [Code.INVALID_ARGUMENT, Code.INVALID_ARGUMENT],
    ]) {
      const { client, connection } = echoClient({}, { undecodable });
      // A text that is no UTF-8.
      await expect(connection.raw(Echo.typeName, 'Unary', Buffer.from([0x0a, 1, 0xff]))).rejects.toMatchObject({
        code,
        message: expect.stringContaining('error unmarshalling payload'),
      });
      await expect(client.unary({ text: 'fine' })).resolves.toMatchObject({ text: 'fine' });
    }
  });

  test('the echo service refuses a reply no frame carries with one code, however long it would be', async () => {
    const { client } = echoClient();
    for (const text of ['4194304', '5000000', '70000000', '1000000000000']) {
      await expect(client.big({ text })).rejects.toMatchObject({ code: Code.RESOURCE_EXHAUSTED });
    }
    await expect(client.big({ text: '-1' })).rejects.toMatchObject({ code: Code.INVALID_ARGUMENT });
  });

  test('a status too long for a message is shortened, not lost', async () => {
    const { client } = echoClient({
      unary: () => {
        throw new TtrpcError(Code.ABORTED, 'x'.repeat(5_000_000));
      },
    });
    await expect(client.unary({})).rejects.toMatchObject({
      code: Code.ABORTED,
      message: expect.stringMatching(/^status of 500\d+ bytes does not fit a message: x{1024}$/),
    });
  });

  test('a method left out answers UNIMPLEMENTED by name; a service twice is refused', async () => {
    const server = new Server().register(Echo, {});
    expect(() => server.register(Echo, {})).toThrow(expect.objectContaining({ code: Code.ALREADY_EXISTS }));
    const [here, there] = connectedPair();
    server.serve(there);
    await expect(createClient(Echo, new Connection(here)).unary({})).rejects.toMatchObject({
      code: Code.UNIMPLEMENTED,
      message: 'method Unary',
    });
  });

  test('an object with methods may be the handlers', async () => {
    class Greeter {
      readonly #greeting = 'hello';
      unary(request: { text: string }) {
        return { text: `${this.#greeting} ${request.text}` };
      }
    }
    const [here, there] = connectedPair();
    new Server().register(Echo, new Greeter()).serve(there);
    expect((await createClient(Echo, new Connection(here)).unary({ text: 'you' })).text).toBe('hello you');
  });

  test('a handler that stops reading ends its stream with its reply; the client is told and stops', async () => {
    const { client, connection } = echoClient({
      async clientStream(requests) {
        for await (const { text } of requests) return { text };
        return {};
      },
    });
    let sent = 0;
    const requests = (async function* () {
      for (;;) {
        sent++;
        yield { text: 'x' };
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    expect((await client.clientStream(requests)).text).toBe('x');
    expect(connection.active).toBe(0);
    expect(sent).toBeLessThan(100);
  });
});

describe('a stream nobody reads', () => {
  test('ends with RESOURCE_EXHAUSTED at the server, and the others go on', async () => {
    const aborted: unknown[] = [];
    const { client } = echoClient(
      {
        clientStream: (_requests, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              aborted.push(signal.reason);
              reject(signal.reason);
            });
          }),
      },
      { streamBufferBytes: 10_000 },
    );
    const requests = Array.from({ length: 100 }, () => ({ text: 'x'.repeat(1000) }));
    const flooded = client.clientStream(requests);
    expect((await client.unary({ text: 'meanwhile' })).text).toBe('meanwhile');
    await expect(flooded).rejects.toMatchObject({ code: Code.RESOURCE_EXHAUSTED });
    expect(aborted).toMatchObject([{ code: Code.RESOURCE_EXHAUSTED }]);
    expect((await client.unary({ text: 'afterwards' })).text).toBe('afterwards');
  });

  test('ends with RESOURCE_EXHAUSTED at the client, and the others go on', async () => {
    const { client, connection } = echoClient(
      {
        async *serverStream() {
          for (let i = 0; i < 1000; i++) yield { text: 'x'.repeat(1000) };
        },
      },
      {},
      { streamBufferBytes: 10_000 },
    );
    const stream = client.serverStream({})[Symbol.asyncIterator]();
    expect((await client.unary({ text: 'meanwhile' })).text).toBe('meanwhile');
    await expect.poll(() => connection.active).toBe(0);
    await expect(stream.next()).rejects.toMatchObject({ code: Code.RESOURCE_EXHAUSTED });
    expect((await client.unary({ text: 'afterwards' })).text).toBe('afterwards');
  });

  test('of empty messages comes to its end too', async () => {
    const { client } = echoClient({ clientStream: () => new Promise(() => {}) }, { streamBufferBytes: 10_000 });
    const empty = Array.from({ length: 1000 }, () => ({}));
    await expect(client.clientStream(empty)).rejects.toMatchObject({ code: Code.RESOURCE_EXHAUSTED });
  });

  test('that is read again in time goes on', async () => {
    const { client } = echoClient({}, { streamBufferBytes: 200_000 }, { streamBufferBytes: 200_000 });
    let count = 0;
    const requests = (async function* () {
      for (let i = 0; i < 20_000; i++) {
        yield { text: 'x'.repeat(100) };
        if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    for await (const { text } of client.bidi(requests)) count += text.length;
    expect(count).toBe(2_000_000);
  });
});

test('a client that asks and does not read is not read either, until it reads', async () => {
  const peer = peerOfEcho({}, { sendBufferBytes: 100_000 });
  peer.duplex.pause();
  const payload = Buffer.from('0a0531303030' + '30', 'hex');
  let asked = 0;
  const taken = () => peer.duplex.writableLength;
  while (taken() === 0 || asked < 100) {
    asked++;
    peer.request(asked * 2 - 1, 0, { method: 'Big', payload });
    if (asked % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    if (asked > 100_000) throw new Error('the server reads without end');
  }
  peer.duplex.resume();
  for (let i = 0; i < asked; i++) expect((await peer.next()).body.length).toBeGreaterThan(10_000);
});

describe('a client that writes a stream faster than it reads the answers', () => {
  const message = Buffer.from(`0a80f4${'01'}${'78'.repeat(31_232)}`, 'hex');
  /** A socket, which gives handlers a turn between two reads, and a client that has not begun to read. */
  const flooding = async () => {
    const server = echoServer({}, { streamBufferBytes: 500_000 });
    const folder = tempFolder();
    await server.listen(`unix://${folder}/echo.sock`);
    onTestFinished(() => server.close());
    const peer = new WirePeer(net.connect(`${folder}/echo.sock`));
    peer.duplex.pause();
    peer.request(1, 6, { method: 'Bidi' });
    for (let i = 0; i < 200; i++) peer.frame(1, 3, 0, message);
    return peer;
  };

  test('is read at its own pace: all is answered, though it is more than the stream may hold', async () => {
    const peer = await flooding();
    peer.frame(1, 3, 5);
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    peer.duplex.resume();
    for (let i = 0; i < 200; i++) expect((await peer.next()).body.length).toBe(message.length);
    expect(await peer.told()).toBe('1: type 3 flags 5');
  });

  test('and does not read at all gets RESOURCE_EXHAUSTED, and the others go on', async () => {
    const peer = await flooding();
    peer.request(3, 0, {});
    // All is written: the server has stopped waiting for this client.
    while (peer.duplex.writableLength > 0) await once(peer.duplex, 'drain');
    peer.duplex.resume();
    const told: string[] = [];
    while (!told.includes('3: OK')) told.push((await peer.told()).slice(0, 40));
    expect(told.find((line) => !line.startsWith('1: type 3'))).toBe('1: RESOURCE_EXHAUSTED ttrpc: stream buff');
  });
});

test('the requests of one read are held to that bound too, and all are answered once it reads', async () => {
  let asked = 0;
  const peer = peerOfEcho(
    {
      big: () => {
        asked++;
        return { text: 'x'.repeat(10_000) };
      },
    },
    { sendBufferBytes: 100_000 },
  );
  peer.duplex.pause();
  const request = encodeRequest({
    service: Echo.typeName,
    method: 'Big',
    payload: new Uint8Array(0),
    timeoutMs: undefined,
    metadata: undefined,
  });
  const ids = Array.from({ length: 500 }, (_, i) => 2 * i + 1);
  peer.bytes(Buffer.concat(ids.map((id) => encodeFrame(id, 1, 0, request))));
  await new Promise((resolve) => setImmediate(resolve));
  expect(asked).toBeGreaterThan(0);
  expect(asked).toBeLessThan(20);
  peer.duplex.resume();
  for (const id of ids) expect((await peer.next()).id).toBe(id);
});

test('a connection has so many calls in flight and no more, until one ends', async () => {
  const peer = peerOfEcho({}, { maxCalls: 2 });
  peer.request(1, 0, { method: 'Slow' });
  peer.request(3, 0, { method: 'Slow', timeoutMs: 1 });
  peer.request(5, 0, {});
  expect(await peer.told()).toBe('5: RESOURCE_EXHAUSTED more than 2 calls in flight on this connection');
  expect(await peer.told()).toBe('3: DEADLINE_EXCEEDED context deadline exceeded');
  peer.request(7, 0, {});
  expect(await peer.told()).toBe('7: OK');
});

test('a clock that is set during a call moves no deadline', async () => {
  onTestFinished(() => void vi.restoreAllMocks());
  const remaining: (number | undefined)[] = [];
  const { client } = echoClient({
    unary: (_request, context) => {
      const hourAhead = Date.now() + 3_600_000;
      vi.spyOn(Date, 'now').mockReturnValue(hourAhead);
      remaining.push(context.remainingMs);
      return { text: 'set' };
    },
  });
  expect((await client.unary({}, { timeoutMs: 60_000 })).text).toBe('set');
  expect(remaining[0]).toBeGreaterThan(0);
});

describe('shutdown', () => {
  test('lets calls that run finish, refuses new ones, then closes', async () => {
    let finish: ((reply: { text: string }) => void) | undefined;
    const { client, server, connection } = echoClient({
      slow: () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
    });
    const call = client.slow({});
    await expect.poll(() => finish).toBeDefined();
    const done = server.shutdown();
    await expect(client.unary({})).rejects.toMatchObject({
      code: Code.UNAVAILABLE,
      message: 'the server is shutting down',
    });
    finish!({ text: 'finished' });
    expect((await call).text).toBe('finished');
    expect(await done).toEqual({ cut: false });
    await connection.closed;
    expect(() => server.serve(connectedPair()[0])).toThrow(expect.objectContaining({ code: Code.FAILED_PRECONDITION }));
  });

  test('cuts off what does not finish in time', async () => {
    const { client, server } = echoClient({ slow: () => new Promise(() => {}) });
    const call = client.slow({});
    await client.unary({});
    expect(await server.shutdown({ graceMs: 20 })).toEqual({ cut: true });
    await expect(call).rejects.toMatchObject({ code: Code.UNAVAILABLE });
  });

  test('error answers in between do not make it cut a call that runs', async () => {
    let finish: ((reply: { text: string }) => void) | undefined;
    const { client, server } = echoClient({
      slow: () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
    });
    const call = client.slow({});
    await expect(client.fail({ text: '5' })).rejects.toMatchObject({ code: Code.NOT_FOUND });
    await expect(client.big({ text: '5000000' })).rejects.toMatchObject({ code: Code.RESOURCE_EXHAUSTED });
    const done = server.shutdown();
    await expect(client.unary({})).rejects.toMatchObject({ code: Code.UNAVAILABLE });
    finish!({ text: 'ok' });
    expect((await call).text).toBe('ok');
    await done;
  });

  test('close ends everything at once, and hooks see connections come and go', async () => {
    const seen: string[] = [];
    const { client, server } = echoClient(
      {},
      { onConnect: () => seen.push('connect'), onDisconnect: (_info, error) => seen.push(`gone ${error}`) },
    );
    const call = client.slow({});
    await client.unary({});
    server.close();
    await expect(call).rejects.toMatchObject({ code: Code.UNAVAILABLE });
    expect(seen).toEqual(['connect', 'gone undefined']);
  });
});

describe('interceptors', () => {
  test('stand around handlers of every kind, the first outermost, and may refuse', async () => {
    const seen: string[] = [];
    const named = (name: string): import('./interceptor.ts').ServerInterceptor => ({
      async unary(request, { method, context }, next) {
        if (context.metadata.get('token') === 'bad') throw new TtrpcError(Code.UNAUTHENTICATED, 'bad token');
        seen.push(`${name} ${method.name}`);
        return next(request);
      },
      async *stream(requests, { method }, next) {
        seen.push(`${name} ${method.name}`);
        yield* next(requests);
      },
    });
    const { client } = echoClient({}, { interceptors: [named('a'), {}, named('b')] });
    expect((await client.unary({ text: 'x' })).text).toBe('x');
    expect((await collect(client.serverStream({ text: 'x y' }))).map(({ text }) => text)).toEqual(['x', 'y']);
    expect((await client.clientStream([{ text: 'x' }, { text: 'y' }])).text).toBe('x y');
    expect((await collect(client.bidi([{ text: 'x' }]))).map(({ text }) => text)).toEqual(['x']);
    const names = ['Unary', 'ServerStream', 'ClientStream', 'Bidi'];
    expect(seen).toEqual(names.flatMap((name) => [`a ${name}`, `b ${name}`]));
    await expect(client.unary({}, { metadata: { token: 'bad' } })).rejects.toMatchObject({
      code: Code.UNAUTHENTICATED,
    });
  });
});

describe('bytes', () => {
  test('a fallback serves what is not registered, and a proxy passes every kind of call on', async () => {
    const [toTarget, target] = connectedPair();
    new Server().register(Echo, echoHandlers).serve(target);
    const upstream = new Connection(toTarget);
    const [here, there] = connectedPair();
    new Server()
      .register(Echo, { unary: (request) => ({ text: `changed ${request.text}` }) })
      .fallback(passTo(upstream))
      .serve(there);
    const client = createClient(Echo, new Connection(here));
    expect((await client.unary({ text: 'x' })).text).toBe('changed x');
    expect((await collect(client.serverStream({ text: 'x y' }))).map(({ text }) => text)).toEqual(['x', 'y']);
    expect((await client.clientStream([{ text: 'x' }, {}, { text: 'y' }])).text).toBe('x  y');
    expect((await collect(client.bidi([{ text: 'x' }, {}]))).map(({ text }) => text)).toEqual(['x', '']);
    await expect(client.fail({ text: '5' })).rejects.toMatchObject({ code: Code.NOT_FOUND });
    await expect(client.slow({}, { timeoutMs: 20 })).rejects.toMatchObject({ code: Code.DEADLINE_EXCEEDED });
    await upstream.close();
    await expect(client.empty({})).rejects.toMatchObject({ code: Code.UNAVAILABLE });
  });

  test('a raw call needs no descriptor', async () => {
    const { connection } = echoClient();
    const reply = await connection.raw(Echo.typeName, 'Unary', Buffer.from('0a0178', 'hex'));
    expect(Buffer.from(reply).toString('hex')).toBe('0a0178');
  });
});
