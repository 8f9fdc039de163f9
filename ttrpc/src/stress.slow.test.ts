/** Many calls, hostile bytes, long runs: nothing may crash, hang, leak or mix up. */
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createClient } from './client/client.ts';
import { Connection } from './client/connection.ts';
import { Echo } from './echo.ts';
import { TtrpcError } from './errors.ts';
import { encodeFrame } from './protocol/frame.ts';
import { collect, connectedPair } from './testing/pair.ts';
import { echoClient, echoServer, peerOfEcho } from './testing/served.ts';
import { tempFolder } from './testing/temp.ts';
import { connect } from './transport/connect.ts';

async function overSocket() {
  const address = `unix://${tempFolder()}/a.sock`;
  const server = echoServer();
  await server.listen(address);
  const connection = await connect(address);
  onTestFinished(() => server.close());
  return { client: createClient(Echo, connection), connection, server };
}

test('10,000 calls at once on one connection each get their own answer', async () => {
  const { client, connection } = await overSocket();
  const replies = await Promise.all(
    Array.from({ length: 10_000 }, async (_, i) => {
      const text = `call ${i}`;
      if (i % 4 === 0) return (await client.unary({ text })).text;
      if (i % 4 === 1) return (await collect(client.serverStream({ text }))).map((one) => one.text).join(' ');
      if (i % 4 === 2) return (await client.clientStream(text.split(' ').map((part) => ({ text: part })))).text;
      return (await collect(client.bidi([{ text }])))[0]?.text;
    }),
  );
  expect(replies).toEqual(Array.from({ length: 10_000 }, (_, i) => `call ${i}`));
  expect(connection.active).toBe(0);
});

test('both sides writing megabytes at once does not lock them up', async () => {
  const { client } = await overSocket();
  const text = 'x'.repeat(1_000_000);
  const calls = Array.from({ length: 12 }, () => client.unary({ text }));
  const streams = Array.from({ length: 4 }, () => collect(client.bidi(Array.from({ length: 8 }, () => ({ text })))));
  expect((await Promise.all(calls)).every((reply) => reply.text.length === text.length)).toBe(true);
  expect((await Promise.all(streams)).flat()).toHaveLength(32);
});

describe('hostile bytes', () => {
  const text = Buffer.from('0a0161', 'hex');
  const names = Buffer.concat([Buffer.from('0a12'), Buffer.from('ttrpc.test.v1.Echo')]);
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc
      .constantFrom('Unary', 'ServerStream', 'ClientStream', 'Bidi', 'Slow', 'Empty', 'Fail')
      .map((method) =>
        Buffer.concat([
          Buffer.from([0x0a, 18]),
          names.subarray(4),
          Buffer.from([0x12, method.length]),
          Buffer.from(method),
          Buffer.from([0x1a, text.length]),
          text,
        ]),
      ),
    fc.constant(text),
  );
  const frames = fc.array(
    fc.record({
      id: fc.oneof(fc.nat(12), fc.nat(0xffff_ffff)),
      type: fc.oneof(fc.constantFrom(1, 2, 3), fc.nat(255)),
      flags: fc.oneof(fc.nat(7), fc.nat(255)),
      body,
    }),
    { maxLength: 12 },
  );

  test('never crash a server, and a call on a fresh connection and on the same one is answered', async () => {
    await fc.assert(
      fc.asyncProperty(frames, async (sent) => {
        const peer = peerOfEcho();
        for (const { id, type, flags, body: bytes } of sent) peer.frame(Math.min(id, 0xffff_fff0), type, flags, bytes);
        // An id above all others that were sent.
        peer.request(0xffff_ffff, 0, { payload: text });
        for (;;) {
          const frame = await peer.next();
          if (frame.id === 0xffff_ffff) break;
        }
        peer.duplex.destroy();
      }),
      { numRuns: 300 },
    );
  });

  test('never crash a client or leave a call hanging', async () => {
    await fc.assert(
      fc.asyncProperty(frames, async (sent) => {
        const [here, there] = connectedPair();
        const connection = new Connection(here);
        const client = createClient(Echo, connection);
        const outcomes = [
          client.unary({ text: 'a' }),
          collect(client.serverStream({ text: 'a' })),
          client.clientStream([{ text: 'a' }]),
          collect(client.bidi([{ text: 'a' }])),
        ].map((call) => (call as Promise<unknown>).then(() => 'ok').catch((error: unknown) => error));
        there.resume();
        for (const { id, type, flags, body: bytes } of sent) there.write(encodeFrame(id, type, flags, bytes));
        there.end();
        for (const outcome of await Promise.all(outcomes)) {
          if (outcome !== 'ok') expect(outcome).toBeInstanceOf(TtrpcError);
        }
        expect(connection.active).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  test('of no shape at all end nothing but themselves', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 10 }), async (pieces) => {
        const server = echoServer();
        const [here, there] = connectedPair();
        server.serve(there);
        here.resume();
        for (const piece of pieces) here.write(piece);
        const [other, otherEnd] = connectedPair();
        server.serve(otherEnd);
        expect((await createClient(Echo, new Connection(other)).unary({ text: 'x' })).text).toBe('x');
        here.destroy();
        other.destroy();
        await expect.poll(() => server.connections, { interval: 1 }).toBe(0);
      }),
      { numRuns: 100 },
    );
  });
});

test('a long run of every kind of call, failures and cut-off calls leaves nothing behind', async () => {
  if (globalThis.gc === undefined) {
    // Vitest runs without --expose-gc; this is how a program gets it later.
    const { setFlagsFromString } = await import('node:v8');
    const { runInNewContext } = await import('node:vm');
    setFlagsFromString('--expose-gc');
    globalThis.gc = runInNewContext('gc') as NodeJS.GCFunction;
  }
  const { client, connection, server } = echoClient();
  const round = async () => {
    for (let i = 0; i < 100; i++) {
      const controller = new AbortController();
      const cut = client.slow({}, { signal: controller.signal, timeoutMs: 60_000 }).catch(() => {});
      await Promise.all([
        client.unary({ text: 'x'.repeat(1000) }),
        collect(client.serverStream({ text: 'a b c' })),
        client.clientStream([{ text: 'a' }, { text: 'b' }]),
        collect(client.bidi([{ text: 'a' }, { text: 'b' }])),
        client.fail({ text: '5' }).catch(() => {}),
        client.slow({}, { timeoutMs: 1 }).catch(() => {}),
      ]);
      controller.abort();
      await cut;
    }
  };
  const held = async () => {
    for (let i = 0; i < 3; i++) {
      globalThis.gc!();
      await new Promise((resolve) => setImmediate(resolve));
    }
    return process.memoryUsage().heapUsed;
  };
  await round();
  await round();
  const before = await held();
  for (let i = 0; i < 8; i++) await round();
  const grown = (await held()) - before;
  expect(connection.active).toBe(0);
  expect(server.connections).toBe(1);
  // 800 turns, in each of which one cut-off call lives on at the server until its deadline: about 2 KB each.
  expect(grown).toBeLessThan(800 * 4000);
  connection.destroy();
  await expect.poll(() => server.connections).toBe(0);
  expect((await held()) - before).toBeLessThan(400_000);
}, 30_000);
