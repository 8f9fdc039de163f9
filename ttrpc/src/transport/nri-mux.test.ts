import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { connectedPair } from '../testing/pair.ts';
import { Multiplexer } from './nri-mux.ts';

test('a piece of a connection is its id, its length and its bytes', async () => {
  const [near, far] = connectedPair();
  const channel = new Multiplexer(near).open(2);
  channel.write('hello');
  let bytes = Buffer.alloc(0);
  for await (const chunk of far) {
    bytes = Buffer.concat([bytes, chunk as Buffer]);
    if (bytes.length === 13) break;
  }
  expect(bytes.toString('hex')).toBe(`0000000200000005${Buffer.from('hello').toString('hex')}`);
});

test('any split and any interleaving arrives as it was sent', async () => {
  const piece = fc.record({ id: fc.constantFrom(1, 2), data: fc.string({ maxLength: 20 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(piece), fc.integer({ min: 1, max: 30 }), async (pieces, cut) => {
      const [near, far] = connectedPair();
      const mux = new Multiplexer(near);
      const seen = { 1: '', 2: '' };
      for (const id of [1, 2] as const)
        mux.open(id).on('data', (chunk: Buffer) => (seen[id] += chunk.toString('latin1')));
      const bytes = Buffer.concat(
        pieces.map(({ id, data }) => {
          const body = Buffer.from(data, 'latin1');
          const header = Buffer.alloc(8);
          header.writeUInt32BE(id, 0);
          header.writeUInt32BE(body.length, 4);
          return Buffer.concat([header, body]);
        }),
      );
      for (let at = 0; at < bytes.length; at += cut) far.write(bytes.subarray(at, at + cut));
      const wanted = (id: number) =>
        Buffer.from(pieces.flatMap((one) => (one.id === id ? [one.data] : [])).join(''), 'latin1').toString('latin1');
      await expect.poll(() => seen, { interval: 1 }).toEqual({ 1: wanted(1), 2: wanted(2) });
      near.destroy();
    }),
    { numRuns: 50 },
  );
});

test('bytes for an id nobody opened are dropped, the rest goes on', async () => {
  const [near, far] = connectedPair();
  const channel = new Multiplexer(near).open(1);
  far.write(Buffer.from('00000009000000026162' + '000000010000000263640000', 'hex'));
  channel.on('end', () => {});
  const got = new Promise((resolve) => channel.once('data', resolve));
  expect(String(await got)).toBe('cd');
});

test('a length beyond two of the largest frames ends the trunk with the reason', async () => {
  const [near, far] = connectedPair();
  const channel = new Multiplexer(near).open(1);
  const failed = new Promise<Error>((resolve) => channel.once('error', resolve));
  far.on('error', () => {});
  far.write(Buffer.from('00000001ffffffff', 'hex'));
  expect((await failed).message).toContain('frame of 4294967295 bytes for connection 1');
});

test('a connection that is not read stops the trunk, and goes on when it is', async () => {
  const [near, far] = connectedPair();
  const sender = new Multiplexer(far).open(1);
  const receiver = new Multiplexer(near).open(1);
  const data = 'x'.repeat(50_000);
  for (let i = 0; i < 20; i++) sender.write(data);
  await expect.poll(() => near.isPaused()).toBe(true);
  const all = text(receiver);
  sender.write('end', () => far.end());
  await expect(all).rejects.toThrow(/Premature close/);
});

test('opening an id twice is refused; closing ends every connection', async () => {
  const [near] = connectedPair();
  const mux = new Multiplexer(near);
  const channel = mux.open(1);
  expect(() => mux.open(1)).toThrow(/open already/);
  const closed = new Promise((resolve) => channel.once('close', resolve));
  mux.close();
  await closed;
  expect(mux.open(2).destroyed).toBe(true);
});
