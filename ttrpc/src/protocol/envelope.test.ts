import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Code } from '../code.ts';
import { TtrpcError } from '../errors.ts';
import { RequestSchema, ResponseSchema } from '../gen/ttrpc_pb.ts';
import { Metadata } from '../metadata.ts';
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  encodeStatusResponse,
  type Request,
} from './envelope.ts';
import { decodeStatus, encodeStatus } from './status.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 80 });
const anyRequest = fc.record({
  service: text,
  method: text,
  payload: fc.uint8Array({ maxLength: 300 }),
  timeoutMs: fc.option(fc.integer({ min: 1, max: 2 ** 32 }), { nil: undefined }),
  metadata: fc.array(fc.tuple(text, text), { maxLength: 4 }),
});

describe('requests', () => {
  test('are what protobuf-es reads and writes', () => {
    fc.assert(
      fc.property(anyRequest, ({ metadata, ...fields }) => {
        const request = { ...fields, metadata: metadata.length > 0 ? new Metadata(metadata) : undefined };
        const bytes = encodeRequest(request);
        const generated = fromBinary(RequestSchema, bytes);
        expect(generated.service).toBe(request.service);
        expect(generated.method).toBe(request.method);
        expect(Buffer.from(generated.payload).equals(request.payload)).toBe(true);
        const lowered = metadata.map(([key, value]) => ({ key: key.toLowerCase(), value }));
        expect(generated.metadata).toMatchObject(lowered);
        expect(generated.timeoutNano).toBe(BigInt(request.timeoutMs ?? 0) * 1_000_000n);

        const again = decodeRequest(toBinary(RequestSchema, generated));
        expect(again.service).toBe(request.service);
        expect(again.method).toBe(request.method);
        expect(Buffer.from(again.payload).equals(request.payload)).toBe(true);
        expect([...(again.metadata ?? [])]).toEqual(lowered.map(({ key, value }) => [key, value]));
        expect(again.timeoutMs).toBe(request.timeoutMs);
      }),
    );
  });

  test('keep a timeout to the nanosecond, and send one that has run out as a negative one', () => {
    const nanos = (timeoutMs: number) =>
      fromBinary(
        RequestSchema,
        encodeRequest({ service: '', method: '', payload: new Uint8Array(0), timeoutMs, metadata: undefined }),
      ).timeoutNano;
    expect(nanos(1.000001)).toBe(1_000_001n);
    expect(nanos(86_400_000.5)).toBe(86_400_000_500_000n);
    expect(nanos(1e-9)).toBe(1n);
    expect(nanos(Number.MAX_VALUE)).toBe(2n ** 63n - 1n);
    expect(nanos(0)).toBe(-1n);
    expect(nanos(Number.NaN)).toBe(-1n);
  });

  test('skip fields of later versions, groups too', () => {
    const known = encodeRequest({
      service: 's',
      method: 'm',
      payload: Buffer.of(1),
      timeoutMs: 2,
      metadata: new Metadata({ k: 'v' }),
    });
    const unknown = Buffer.from(
      '3001' + '3903030303030303' + '03' + '4201ff' + '4d01020304' + '53' + '5801' + '54',
      'hex',
    );
    expect(decodeRequest(Buffer.concat([unknown, known, unknown]))).toEqual(decodeRequest(known));
  });

  test.for([
    ['a field number of 0', '00'],
    ['a varint that is cut off', '20ff'],
    ['a varint of 11 bytes', '20ffffffffffffffffffff01'],
    ['a text longer than the message', '0a05'],
    ['a text that is not UTF-8', '0a01ff'],
    ['a fixed number that is cut off', '31010203'],
    ['a group that does not end', '33'],
    ['a group that ends as another', '333c'],
    ['a wire type nobody knows', '36'],
    ['groups nested a thousand deep', '33'.repeat(1000)],
  ])('refuse %s', ([, hex]) => {
    expect(() => decodeRequest(Buffer.from(hex!, 'hex'))).toThrow();
  });

  test('of any bytes at all decode or throw, and what decodes survives a round trip', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      // Mostly sound fields, so that some get far.
      fc
        .array(fc.tuple(fc.constantFrom(0x0a, 0x12, 0x1a, 0x20, 0x2a, 0x32), fc.uint8Array({ maxLength: 5 })))
        .map((fields) => Buffer.concat(fields.map(([tag, value]) => Buffer.from([tag, value.length, ...value])))),
    );
    fc.assert(
      fc.property(bytes, (input) => {
        let request: Request;
        try {
          request = decodeRequest(input);
        } catch (error) {
          expect(error).toSatisfy((thrown) => thrown instanceof RangeError || thrown instanceof TypeError);
          return;
        }
        const { service, method, payload } = decodeRequest(encodeRequest(request));
        expect([service, method]).toEqual([request.service, request.method]);
        expect(Buffer.from(payload).equals(request.payload)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('responses', () => {
  test('are what protobuf-es reads and writes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (payload) => {
        const bytes = encodeResponse(payload);
        const expected = toBinary(ResponseSchema, create(ResponseSchema, { payload }));
        expect(Buffer.from(bytes).equals(expected)).toBe(true);
        expect(Buffer.from(decodeResponse(bytes).payload).equals(payload)).toBe(true);
      }),
    );
  });

  test('carry code, message and details of an error', () => {
    const details = [{ $typeName: 'google.protobuf.Any' as const, typeUrl: 'a/b', value: Uint8Array.of(1, 2) }];
    const error = new TtrpcError(Code.NOT_FOUND, 'no such thing', { details });
    const { status, payload } = decodeResponse(encodeStatusResponse(encodeStatus(error)));
    expect(payload.length).toBe(0);
    const decoded = decodeStatus(status!)!;
    expect(decoded).toMatchObject({ code: Code.NOT_FOUND, message: 'no such thing' });
    expect(decoded.details.map(({ typeUrl, value }) => [typeUrl, Buffer.from(value).toString('hex')])).toEqual([
      ['a/b', '0102'],
    ]);
  });

  test('with a status of OK are no error', () => {
    const { status, payload } = decodeResponse(Buffer.from('0a00' + '1201aa', 'hex'));
    expect(decodeStatus(status!)).toBeUndefined();
    expect(Buffer.from(payload).toString('hex')).toBe('aa');
  });

  test('with a status in two parts are read as protobuf merges them', () => {
    const { status } = decodeResponse(Buffer.from('0a020805' + '0a0312' + '0178', 'hex'));
    expect(decodeStatus(status!)).toMatchObject({ code: 5, message: 'x' });
  });
});
