import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeFrame, MAX_BODY_LENGTH } from './frame.ts';
import { FrameDecoder } from './frame-decoder.ts';

interface Seen {
  id: number;
  type: number;
  flags: number;
  body: string;
}

function decode(pieces: Iterable<Uint8Array>, limit?: number) {
  const seen: Seen[] = [];
  const decoder = new FrameDecoder(
    {
      frame: (id, type, flags, body) => seen.push({ id, type, flags, body: Buffer.from(body).toString('hex') }),
      oversize: (id, type, flags, length) => seen.push({ id, type, flags, body: `over: ${length}` }),
    },
    limit,
  );
  for (const piece of pieces) decoder.push(piece);
  return { seen, decoder };
}

function split(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

const frame = fc.record({
  id: fc.nat(0xffff_ffff),
  type: fc.nat(255),
  flags: fc.nat(255),
  body: fc.uint8Array({ maxLength: 40 }),
});

test('any split of the bytes gives the same frames', () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 12 }), (frames, cuts) => {
      const bytes = Buffer.concat(frames.map(({ id, type, flags, body }) => encodeFrame(id, type, flags, body)));
      const { seen, decoder } = decode(split(bytes, cuts), 32);
      expect(seen).toEqual(
        frames.map(({ body, ...head }) => ({
          ...head,
          body: body.length > 32 ? `over: ${body.length}` : Buffer.from(body).toString('hex'),
        })),
      );
      expect(decoder.atBoundary).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('any bytes at all are frames or the beginning of one: nothing throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(), { maxLength: 5 }), (bytes, cuts) => {
      expect(decode(split(bytes, cuts), 64).seen).toEqual(decode([bytes], 64).seen);
    }),
  );
});

test('a header byte by byte', () => {
  const bytes = encodeFrame(0x01020304, 1, 2, Buffer.from('ab'));
  expect(Buffer.from(bytes).toString('hex')).toBe('00000002010203040102' + '6162');
  expect(decode([...bytes].map((byte) => Uint8Array.of(byte))).seen).toEqual([
    { id: 0x01020304, type: 1, flags: 2, body: '6162' },
  ]);
});

test('a body of 4 MiB is taken and one byte more is not, and the frame behind it is intact', () => {
  const pieces = [
    encodeFrame(1, 3, 0, Buffer.alloc(MAX_BODY_LENGTH)),
    encodeFrame(3, 3, 0, Buffer.alloc(MAX_BODY_LENGTH + 1)),
    encodeFrame(5, 1, 0, Buffer.from('a')),
  ];
  const { seen } = decode(pieces);
  expect(seen.map(({ id, body }) => [id, body.length])).toEqual([
    [1, 2 * MAX_BODY_LENGTH],
    [3, 'over: 4194305'.length],
    [5, 2],
  ]);
});

test('a length of 4 GiB that never comes costs no memory', () => {
  const before = process.memoryUsage().external;
  const { seen, decoder } = decode([Buffer.from('ffffffff000000010100', 'hex'), Buffer.alloc(1000)]);
  expect(seen).toEqual([]);
  expect(decoder.atBoundary).toBe(false);
  expect(process.memoryUsage().external - before).toBeLessThan(1024 * 1024);
});

test('a frame cut by the end of the stream shows', () => {
  expect(decode([Buffer.from('0000', 'hex')]).decoder.atBoundary).toBe(false);
  expect(decode([Buffer.from('00000001000000010100', 'hex')]).decoder.atBoundary).toBe(false);
  expect(decode([Buffer.from('00000000000000010100', 'hex')]).decoder.atBoundary).toBe(true);
});

test('a decoder that was stopped drops the rest of the bytes it is at', () => {
  const seen: number[] = [];
  const decoder = new FrameDecoder({
    frame: (id) => {
      seen.push(id);
      decoder.stop();
    },
    oversize: () => {},
  });
  const one = encodeFrame(1, 1, 0, new Uint8Array(0));
  decoder.push(Buffer.concat([one, one]));
  decoder.push(one);
  expect(seen).toEqual([1]);
});

test('a sink may hold after any frame: pushing what comes back gives the same frames', () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 12 }), (frames, cuts) => {
      const bytes = Buffer.concat(frames.map(({ id, type, flags, body }) => encodeFrame(id, type, flags, body)));
      const seen: number[] = [];
      const take = (id: number) => {
        seen.push(id);
        decoder.hold();
      };
      const decoder = new FrameDecoder({ frame: take, oversize: take }, 32);
      for (const piece of split(bytes, cuts)) {
        let rest: Uint8Array | undefined = piece;
        while (rest !== undefined) {
          const before = seen.length;
          rest = decoder.push(rest);
          expect(seen.length).toBeLessThanOrEqual(before + 1);
        }
      }
      expect(seen).toEqual(frames.map(({ id }) => id));
    }),
  );
});
