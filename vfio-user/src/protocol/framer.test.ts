import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeMessage, Framer, HEADER_BYTES } from './index.ts';

const message = (id: number, payload: Uint8Array) => encodeMessage({ id, command: 9, flags: 0, errno: 0 }, payload);

/** All messages a framer finds in a stream that arrives in the given pieces. */
function frames(pieces: { bytes: Uint8Array; fds?: number[] }[], maxMessage = 1000) {
  const framer = new Framer(maxMessage);
  const found: { id: number; payload: number[]; fds: number[] }[] = [];
  const refused: number[] = [];
  for (const piece of pieces) {
    for (let done = 0, fds = piece.fds; done < piece.bytes.length; fds = undefined) {
      done += framer.push(piece.bytes.subarray(done), fds, (fd) => refused.push(fd));
      for (let next = framer.next(); next === 'frame'; next = framer.next()) {
        const { frame } = framer;
        const payload = [...frame.bytes.subarray(frame.start, frame.start + frame.length)];
        found.push({ id: frame.id, payload, fds: [...frame.fds] });
      }
    }
  }
  return { found, refused, left: framer.drain() };
}

test('messages come out the same however the stream is cut', () => {
  const payloads = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 });
  const cuts = fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 40 });
  fc.assert(
    fc.property(payloads, cuts, (list, sizes) => {
      const stream = Buffer.concat(list.map((payload, index) => message(index, payload)));
      const pieces: { bytes: Uint8Array }[] = [];
      for (let at = 0, index = 0; at < stream.length; index++) {
        const size = sizes[index % Math.max(1, sizes.length)] ?? stream.length;
        pieces.push({ bytes: stream.subarray(at, at + size) });
        at += size;
      }
      expect(frames(pieces).found).toEqual(list.map((payload, id) => ({ id, payload: [...payload], fds: [] })));
    }),
  );
});

test('a message may arrive byte by byte', () => {
  const stream = message(7, Uint8Array.of(1, 2, 3));
  const pieces = [...stream].map((byte) => ({ bytes: Uint8Array.of(byte) }));
  expect(frames(pieces).found).toEqual([{ id: 7, payload: [1, 2, 3], fds: [] }]);
});

test('descriptors go to the last message that began in the piece they came with', () => {
  const two = Buffer.concat([message(1, Uint8Array.of(1)), message(2, Uint8Array.of(2))]);
  expect(frames([{ bytes: two, fds: [50, 51] }]).found.map(({ id, fds }) => ({ id, fds }))).toEqual([
    { id: 1, fds: [] },
    { id: 2, fds: [50, 51] },
  ]);
});

test('descriptors on the first byte of a message that comes in pieces are its own', () => {
  const bytes = message(3, new Uint8Array(100));
  const pieces = [
    { bytes: Buffer.concat([message(2, new Uint8Array(5)), bytes.subarray(0, 1)]), fds: [60] },
    { bytes: bytes.subarray(1, 20) },
    { bytes: bytes.subarray(20) },
  ];
  expect(frames(pieces).found.map(({ id, fds }) => ({ id, fds }))).toEqual([
    { id: 2, fds: [] },
    { id: 3, fds: [60] },
  ]);
});

test("descriptors in the middle of a message are nobody's", () => {
  const bytes = message(3, new Uint8Array(100));
  const { found, refused } = frames([{ bytes: bytes.subarray(0, 30) }, { bytes: bytes.subarray(30), fds: [61] }]);
  expect(found[0]!.fds).toEqual([]);
  expect(refused).toEqual([61]);
});

test('descriptors of a message that never ends are given back', () => {
  expect(frames([{ bytes: message(3, new Uint8Array(100)).subarray(0, 30), fds: [62] }]).left).toEqual([62]);
});

test.each([
  ['0', 0],
  ['15', 15],
  ['one more than the limit', 1001],
  ['2^32 - 1', 0xffff_ffff],
])('a size of %s is invalid', (_, size) => {
  const framer = new Framer(1000);
  const bytes = message(9, new Uint8Array(0));
  new DataView(bytes.buffer).setUint32(4, size, true);
  framer.push(bytes);
  expect(framer.next()).toBe('invalid');
  expect(framer.frame.id).toBe(9);
});

test('the largest message fits, and the buffer never grows', () => {
  const framer = new Framer(1000);
  const bytes = message(1, new Uint8Array(1000 - HEADER_BYTES).fill(5));
  for (let round = 0; round < 3; round++) {
    for (let at = 0; at < bytes.length; ) at += framer.push(bytes.subarray(at));
    expect(framer.next()).toBe('frame');
    expect(framer.frame.length).toBe(1000 - HEADER_BYTES);
  }
  expect(framer.bytes.length).toBe(1000 + HEADER_BYTES);
});
