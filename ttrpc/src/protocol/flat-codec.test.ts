import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { StringValueSchema, TimestampSchema, UInt64ValueSchema } from '@bufbuild/protobuf/wkt';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StatusSchema } from '../gen/google/rpc/status_pb.ts';
import { FlatSchema } from '../testing/gen/flat_pb.ts';
import { flatCodec } from './flat-codec.ts';
import { codecOf } from './payload.ts';

const flat = flatCodec(FlatSchema)!;
const whole = codecOf(FlatSchema);

const text = fc.oneof(fc.string({ maxLength: 100 }), fc.string({ unit: 'grapheme', maxLength: 60 }));
const init = fc.record(
  {
    text,
    data: fc.uint8Array({ maxLength: 200 }),
    flag: fc.boolean(),
    number: fc.integer(),
    count: fc.nat(0xffff_ffff),
    kind: fc.integer({ min: -2, max: 5 }),
    farAway: text,
  },
  { requiredKeys: [] },
);

describe('the fast path', () => {
  test('gives the bytes of protobuf-es, and reads them back to its message', () => {
    fc.assert(
      fc.property(init, (given) => {
        const fields = given as MessageInitShape<typeof FlatSchema>;
        const expected = Buffer.from(toBinary(FlatSchema, create(FlatSchema, fields)));
        expect(Buffer.from(whole.encode(fields)).toString('hex')).toBe(expected.toString('hex'));
        expect(plain(whole.decode(expected))).toEqual(plain(fromBinary(FlatSchema, expected)));
      }),
      { numRuns: 1000 },
    );
  });

  test('is taken by what it is for', () => {
    const bytes = flat.encode({ text: 'hello', data: Uint8Array.of(1), flag: true, number: 5, count: 7, kind: 1 });
    expect(Buffer.from(bytes!).toString('hex')).toBe('0a0568656c6c6f' + '120101' + '1801' + '2005' + '2807' + '3001');
    expect(plain(flat.decode(bytes!)!)).toEqual(plain(fromBinary(FlatSchema, bytes!)));
    expect(flat.decode(new Uint8Array(0))).toEqual(create(FlatSchema));
  });

  test('reads any bytes as protobuf-es does, or leaves them to it', () => {
    const field = fc.oneof(
      fc.tuple(
        fc.constantFrom('0a', '12', '1a', '18', '20', '28', '30', 'a20c', 'ff', '00'),
        fc.uint8Array({ maxLength: 6 }),
      ),
    );
    const bytes = fc
      .array(field, { maxLength: 4 })
      .map((fields) =>
        Buffer.concat(fields.flatMap(([tag, value]) => [Buffer.from(tag, 'hex'), Buffer.of(value.length), value])),
      );
    fc.assert(
      fc.property(fc.oneof(bytes, fc.uint8Array({ maxLength: 20 })), (input) => {
        const message = flat.decode(input);
        if (message !== undefined) expect(plain(message)).toEqual(plain(fromBinary(FlatSchema, input)));
      }),
      { numRuns: 2000 },
    );
  });

  test('leaves odd values to protobuf-es, which refuses them', () => {
    for (const odd of [{ number: 1.5 }, { count: -1 }, { text: 1 }, { data: 'x' }, { flag: 'yes' }, { number: NaN }]) {
      expect(flat.encode(odd)).toBeUndefined();
    }
    expect(() => whole.encode({ number: 1.5 })).toThrow(/marshaling payload/);
  });

  test('leaves messages with unknown fields to protobuf-es, which keeps them', () => {
    const bytes = Buffer.from('0a0161' + 'fa0101ff', 'hex');
    const message = whole.decode(bytes);
    expect(message.$unknown).toHaveLength(1);
    expect(Buffer.from(whole.encode(message)).equals(bytes)).toBe(true);
  });

  test('is not for messages with 64-bit numbers or messages inside', () => {
    expect(flatCodec(StringValueSchema)).toBeDefined();
    for (const desc of [UInt64ValueSchema, TimestampSchema, StatusSchema]) expect(flatCodec(desc)).toBeUndefined();
  });

  test('does not pass one message off as another', () => {
    expect(flat.encode(create(StatusSchema, { message: 'x' }))).toBeUndefined();
  });
});

/** Bytes as hex: a Buffer and a Uint8Array of the same bytes are the same. */
function plain(message: object): object {
  return JSON.parse(
    JSON.stringify(message, (_key, value: unknown) => {
      if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`;
      if (typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer') {
        return `bytes ${Buffer.from((value as unknown as { data: number[] }).data).toString('hex')}`;
      }
      return value;
    }),
  ) as object;
}
