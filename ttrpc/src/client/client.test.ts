import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { Code } from '../code.ts';
import { TtrpcError } from '../errors.ts';
import { Metadata } from '../metadata.ts';
import { decodeRequest, encodeResponse, encodeStatusResponse } from '../protocol/envelope.ts';
import { encodeStatus } from '../protocol/status.ts';
import { clientOfPeer, echoClient } from '../testing/served.ts';

const text = (value: string) => Buffer.concat([Buffer.of(0x0a, value.length), Buffer.from(value)]);

async function all<T extends { text: string }>(messages: AsyncIterable<T>): Promise<string[]> {
  const texts: string[] = [];
  for await (const message of messages) texts.push(message.text);
  return texts;
}

describe('what a client sends, byte by byte', () => {
  test('unary: a request without flags', async () => {
    const { client, peer } = clientOfPeer();
    void client.unary({ text: 'hi' }).catch(() => {});
    await peer.next();
    expect(Buffer.concat(peer.received).toString('hex')).toBe(
      '00000021' +
        '00000001' +
        '0100' +
        `0a12${Buffer.from('ttrpc.test.v1.Echo').toString('hex')}` +
        `1205${Buffer.from('Unary').toString('hex')}` +
        '1a040a026869',
    );
  });

  test('server stream: a request that closes its side', async () => {
    const { client, peer } = clientOfPeer();
    client.serverStream({ text: 'hi' });
    const { id, type, flags, body } = await peer.next();
    expect({ id, type, flags }).toEqual({ id: 1, type: 1, flags: 1 });
    expect(Buffer.from(decodeRequest(body).payload).toString('hex')).toBe('0a026869');
  });

  test.for(['clientStream', 'bidi'] as const)('%s: open without data, data, closed without data', async (method) => {
    const { client, peer } = clientOfPeer();
    const result = client[method]([{ text: 'a' }, {}]);
    const done = method === 'bidi' ? (result as AsyncIterableIterator<unknown>).next() : (result as Promise<unknown>);
    done.catch(() => {});
    expect(await peer.next()).toMatchObject({ id: 1, type: 1, flags: 6 });
    expect(await peer.told()).toBe('1: type 3 flags 0 0a0161');
    expect(await peer.told()).toBe('1: type 3 flags 0');
    expect(await peer.told()).toBe('1: type 3 flags 5');
  });

  test('ids are odd and increase in the order of the bytes, whatever the kinds of call', async () => {
    const { client, peer } = clientOfPeer();
    void client.unary({}).catch(() => {});
    client.serverStream({});
    client.bidi([]);
    void client.unary({}).catch(() => {});
    const requests = [];
    while (requests.length < 4) {
      const frame = await peer.next();
      if (frame.type === 1) requests.push(frame.id);
    }
    expect(requests).toEqual([1, 3, 5, 7]);
  });

  test.for(['unary', 'serverStream', 'clientStream', 'bidi'] as const)('%s: timeout and metadata', async (method) => {
    const { client, peer } = clientOfPeer();
    const call = client[method] as (input: unknown, options: object) => Promise<unknown> | AsyncIterator<unknown>;
    const input = method === 'unary' || method === 'serverStream' ? {} : [];
    const result = call(input, { timeoutMs: 1500, metadata: { Key: ['a', 'b'] } });
    if (result instanceof Promise) result.catch(() => {});
    const request = decodeRequest((await peer.next()).body);
    expect(request.timeoutMs).toBe(1500);
    expect([...request.metadata!]).toEqual([
      ['key', 'a'],
      ['key', 'b'],
    ]);
  });
});

describe('what a client makes of answers', () => {
  test('the status is looked at before the payload, which may be anything', async () => {
    const { client, peer } = clientOfPeer();
    const call = client.unary({});
    await peer.next();
    const status = encodeStatusResponse(encodeStatus(new TtrpcError(Code.ABORTED, 'no')));
    peer.frame(1, 2, 0, Buffer.concat([status, encodeResponse(Buffer.from('0aff', 'hex'))]));
    await expect(call).rejects.toMatchObject({ code: Code.ABORTED, message: 'no' });
  });

  test('details of an error arrive', async () => {
    const details = [{ $typeName: 'google.protobuf.Any' as const, typeUrl: 't/x', value: Buffer.from('v') }];
    const { client } = echoClient({
      unary: () => {
        throw new TtrpcError(Code.FAILED_PRECONDITION, 'not yet', { details });
      },
    });
    const error = await client.unary({}).catch((thrown: TtrpcError) => thrown as TtrpcError);
    expect(error).toMatchObject({ code: Code.FAILED_PRECONDITION, codeName: 'FAILED_PRECONDITION' });
    expect((error as TtrpcError).details.map(({ typeUrl, value }) => [typeUrl, Buffer.from(value).toString()])).toEqual(
      [['t/x', 'v']],
    );
  });

  test('a code without a name is kept', async () => {
    const { client } = echoClient();
    await expect(client.fail({ text: '4711' })).rejects.toMatchObject({ code: 4711, codeName: 'CODE_4711' });
  });

  const wrong: { name: string; type: number; flags: number; body: string; code: Code; says: RegExp }[] = [
    {
      name: 'a response that does not decode',
      type: 2,
      flags: 0,
      body: '12ff',
      code: Code.INTERNAL,
      says: /unmarshal/,
    },
    {
      name: 'a payload that does not decode',
      type: 2,
      flags: 0,
      body: '12020aff',
      code: Code.INTERNAL,
      says: /unmarshal/,
    },
    {
      name: 'a status that does not decode',
      type: 2,
      flags: 0,
      body: '0a0112',
      code: Code.INTERNAL,
      says: /unmarshal/,
    },
    { name: 'a data frame', type: 3, flags: 0, body: '', code: Code.INTERNAL, says: /unary call with a data frame/ },
  ];
  test.for(wrong)('$name fails the call, and the next one works', async ({ type, flags, body, code, says }) => {
    const { client, peer } = clientOfPeer();
    const call = client.unary({});
    await peer.next();
    peer.frame(1, type, flags, body);
    await expect(call).rejects.toMatchObject({ code, message: expect.stringMatching(says) });
    const next = client.unary({});
    await peer.next();
    peer.frame(3, 2, 0, encodeResponse(text('ok')));
    expect((await next).text).toBe('ok');
  });

  test('an answer over the limit fails its call with RESOURCE_EXHAUSTED, and the connection lives', async () => {
    const { client, peer } = clientOfPeer();
    const call = client.unary({});
    await peer.next();
    peer.frame(1, 2, 0, Buffer.alloc(4 * 1024 * 1024 + 1));
    await expect(call).rejects.toMatchObject({
      code: Code.RESOURCE_EXHAUSTED,
      message: 'message length 4194305 exceed maximum message size of 4194304',
    });
    const next = client.unary({});
    await peer.next();
    peer.frame(3, 2, 0, encodeResponse(text('ok')));
    expect((await next).text).toBe('ok');
  });

  test('frames of streams it does not have, of types nobody knows and late ones are dropped', async () => {
    const { client, peer } = clientOfPeer();
    const late = client.unary({}, { timeoutMs: 1 });
    await peer.next();
    await expect(late).rejects.toMatchObject({ code: Code.DEADLINE_EXCEEDED });
    peer.frame(1, 2, 0, encodeResponse(text('late')));
    peer.frame(2, 2, 0);
    peer.frame(99, 3, 1, 'ff');
    const call = client.unary({});
    await peer.next();
    peer.frame(3, 9, 0);
    peer.frame(3, 1, 0);
    peer.frame(3, 2, 0, encodeResponse(text('ok')));
    expect((await call).text).toBe('ok');
  });

  test('a closing data frame with a message delivers the message', async () => {
    const { client, peer } = clientOfPeer();
    const messages = all(client.serverStream({}));
    await peer.next();
    peer.frame(1, 3, 0, text('a'));
    peer.frame(1, 3, 1, text('b'));
    expect(await messages).toEqual(['a', 'b']);
  });

  test('a response frame may end a stream of messages, with a last one or without', async () => {
    const { client, peer } = clientOfPeer();
    const first = all(client.serverStream({}));
    const second = all(client.serverStream({}));
    await peer.next();
    peer.frame(1, 3, 0, text('a'));
    peer.frame(1, 2, 0, encodeResponse(text('b')));
    peer.frame(3, 2, 0);
    expect(await first).toEqual(['a', 'b']);
    expect(await second).toEqual([]);
  });

  test('messages in front of an error are delivered before it is thrown', async () => {
    const { client } = echoClient({
      async *serverStream() {
        yield { text: 'a' };
        throw new TtrpcError(Code.DATA_LOSS, 'torn');
      },
    });
    const stream = client.serverStream({});
    const seen: string[] = [];
    const failed = (async () => {
      for await (const { text: one } of stream) seen.push(one);
    })();
    await expect(failed).rejects.toMatchObject({ code: Code.DATA_LOSS });
    expect(seen).toEqual(['a']);
  });
});

describe('calls that end early', () => {
  test('a deadline ends the call here and at the handler, and its reply goes nowhere', async () => {
    let reason: unknown;
    let remaining: number | undefined;
    const { client } = echoClient({
      slow: (_request, context) =>
        new Promise((resolve) => {
          remaining = context.remainingMs;
          context.signal.addEventListener('abort', () => {
            reason = context.signal.reason;
            resolve({ text: 'too late' });
          });
        }),
    });
    const begun = performance.now();
    await expect(client.slow({}, { timeoutMs: 30 })).rejects.toMatchObject({ code: Code.DEADLINE_EXCEEDED });
    expect(performance.now() - begun).toBeLessThan(2000);
    expect((await client.unary({ text: 'still here' })).text).toBe('still here');
    await expect.poll(() => reason).toMatchObject({ code: Code.DEADLINE_EXCEEDED });
    expect(remaining).toBeLessThanOrEqual(30);
  });

  test('a timeout that has run out sends nothing', async () => {
    const { client, peer } = clientOfPeer();
    await expect(client.unary({}, { timeoutMs: 0 })).rejects.toMatchObject({ code: Code.DEADLINE_EXCEEDED });
    await expect(client.unary({}, { timeoutMs: -1 })).rejects.toMatchObject({ code: Code.DEADLINE_EXCEEDED });
    expect(peer.received).toEqual([]);
  });

  test('a signal cancels a call and a stream, and is let go of afterwards', async () => {
    const { client, connection } = echoClient();
    const controller = new AbortController();
    const call = client.slow({}, { signal: controller.signal });
    const stream = client.bidi(never(), { signal: controller.signal })[Symbol.asyncIterator]().next();
    controller.abort(new Error('enough'));
    await expect(call).rejects.toMatchObject({ code: Code.CANCELED, cause: controller.signal.reason });
    await expect(stream).rejects.toMatchObject({ code: Code.CANCELED });
    expect(connection.active).toBe(0);
    await expect(client.unary({}, { signal: controller.signal })).rejects.toMatchObject({ code: Code.CANCELED });

    const other = new AbortController();
    await client.unary({}, { signal: other.signal });
    await all(client.serverStream({ text: 'a b' }, { signal: other.signal }));
    expect(getEventListeners(other.signal, 'abort')).toEqual([]);
  });

  test('leaving a loop early forgets the call', async () => {
    const { client, connection } = echoClient();
    for await (const { text: one } of client.serverStream({ text: 'a b c' })) {
      expect(one).toBe('a');
      break;
    }
    expect(connection.active).toBe(0);
  });

  test('an error of the request iterable ends the stream with that error', async () => {
    const { client, connection } = echoClient();
    const requests = (async function* () {
      yield { text: 'a' };
      throw new Error('nothing left');
    })();
    await expect(client.clientStream(requests)).rejects.toMatchObject({ code: Code.UNKNOWN, message: 'nothing left' });
    expect(connection.active).toBe(0);
  });

  test('a request over the limit is refused before anything is sent', async () => {
    const { client, peer } = clientOfPeer({ maxMessageLength: 100 });
    await expect(client.unary({ text: 'x'.repeat(100) })).rejects.toMatchObject({ code: Code.RESOURCE_EXHAUSTED });
    await expect(client.clientStream([{ text: 'x'.repeat(101) }])).rejects.toMatchObject({
      code: Code.RESOURCE_EXHAUSTED,
      message: 'message length 103 exceed maximum message size of 100',
    });
    expect((await peer.next()).type).toBe(1);
  });

  test('a value its field cannot hold rejects the call', async () => {
    const { client } = echoClient();
    await expect(client.unary({ text: Symbol('x') as unknown as string })).rejects.toMatchObject({
      code: Code.INTERNAL,
    });
  });

  test('when the connection goes, calls fail with UNAVAILABLE, those in flight and later ones', async () => {
    const closed: unknown[] = [];
    const { client, connection, server } = echoClient({}, {}, { onClose: (error) => closed.push(error) });
    const call = client.slow({});
    const stream = client.bidi(never())[Symbol.asyncIterator]().next();
    await connection.close();
    await expect(call).rejects.toMatchObject({ code: Code.UNAVAILABLE, message: 'connection closed' });
    await expect(stream).rejects.toMatchObject({ code: Code.UNAVAILABLE });
    await expect(client.unary({})).rejects.toMatchObject({ code: Code.UNAVAILABLE });
    expect(closed).toEqual([undefined]);
    await expect.poll(() => server.connections).toBe(0);
  });

  test('the error that ended a connection is the cause', async () => {
    const { client, connection } = echoClient();
    const call = client.slow({});
    const cause = new Error('cable pulled');
    connection.destroy(cause);
    await expect(call).rejects.toMatchObject({ message: 'connection closed: cable pulled', cause });
    await connection.closed;
  });
});

describe('defaults and interceptors', () => {
  test('a client adds its timeout and metadata to each call', async () => {
    const { connection } = echoClient({
      unary: (_request, { metadata, remainingMs }) => ({
        text: JSON.stringify([[...metadata], remainingMs! > 5000 && remainingMs! <= 10_000]),
      }),
    });
    const { createClient } = await import('./client.ts');
    const { Echo } = await import('../echo.ts');
    const client = createClient(Echo, connection, { timeoutMs: 10_000, metadata: { a: '1' } });
    const { text: told } = await client.unary({}, { metadata: new Metadata({ b: '2' }) });
    expect(JSON.parse(told)).toEqual([
      [
        ['a', '1'],
        ['b', '2'],
      ],
      true,
    ]);
  });

  test('interceptors stand around unary calls and streams, the first outermost', async () => {
    const { connection } = echoClient();
    const { createClient } = await import('./client.ts');
    const { Echo } = await import('../echo.ts');
    const seen: string[] = [];
    const named = (name: string): import('./interceptor.ts').ClientInterceptor => ({
      async unary(request, call, next) {
        seen.push(`${name} > ${call.method.name}`);
        const reply = await next(request, { ...call, metadata: { by: name } });
        seen.push(`${name} < ${call.method.name}`);
        return reply;
      },
      async *stream(requests, call, next) {
        seen.push(`${name} > ${call.method.name}`);
        yield* next(requests, call);
        seen.push(`${name} < ${call.method.name}`);
      },
    });
    const client = createClient(Echo, connection, { interceptors: [named('a'), {}, named('b')] });
    expect((await client.unary({ text: 'x' })).text).toBe('x');
    expect(await all(client.serverStream({ text: 'x y' }))).toEqual(['x', 'y']);
    expect((await client.clientStream([{ text: 'x' }, { text: 'y' }])).text).toBe('x y');
    expect(await all(client.bidi([{ text: 'x' }]))).toEqual(['x']);
    expect(seen).toEqual(
      ['Unary', 'ServerStream', 'ClientStream', 'Bidi'].flatMap((name) => [
        `a > ${name}`,
        `b > ${name}`,
        `b < ${name}`,
        `a < ${name}`,
      ]),
    );
  });
});

async function* never(): AsyncGenerator<{ text: string }> {
  await new Promise(() => {});
}
