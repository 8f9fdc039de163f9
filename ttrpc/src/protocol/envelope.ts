/**
 * Request and Response, the two messages ttrpc wraps around a payload, by hand: a call must not pay for reflection
 * twice. envelope.test.ts holds this against the code generated from proto/ttrpc.proto.
 */
import { Metadata } from '../metadata.ts';
import { varint64, varintLength, WireReader, WireType, writeVarint } from './wire.ts';

const bytesTag = (field: number) => (field << 3) | WireType.BYTES;

const REQUEST_SERVICE = bytesTag(1);
const REQUEST_METHOD = bytesTag(2);
const REQUEST_PAYLOAD = bytesTag(3);
const REQUEST_TIMEOUT = (4 << 3) | WireType.VARINT;
const REQUEST_METADATA = bytesTag(5);
const RESPONSE_STATUS = bytesTag(1);
const RESPONSE_PAYLOAD = bytesTag(2);

const NOTHING = new Uint8Array(0);
const NANOSECONDS_PER_MILLISECOND = 1_000_000n;
const MAX_INT64 = 2n ** 63n - 1n;

export interface Request {
  service: string;
  method: string;
  payload: Uint8Array;
  /** Milliseconds the caller waits; undefined for ever. Zero or less: it has stopped waiting. */
  timeoutMs: number | undefined;
  metadata: Metadata | undefined;
}

/** The fields of a request that name its method, the same for every call of it: encode once. */
export function encodeMethod(service: string, method: string): Uint8Array {
  return Buffer.concat([textField(REQUEST_SERVICE, service), textField(REQUEST_METHOD, method)]);
}

/** The fields behind the payload; undefined when there are none. */
export function encodeRequestTail(
  timeoutMs: number | undefined,
  metadata: Metadata | undefined,
): Uint8Array | undefined {
  if (timeoutMs === undefined && !metadata?.size) return undefined;
  const parts: Uint8Array[] = [];
  if (timeoutMs !== undefined) parts.push(Uint8Array.of(REQUEST_TIMEOUT), varint64(nanoseconds(timeoutMs)));
  for (const [key, value] of metadata ?? []) {
    const pair = Buffer.concat([textField(bytesTag(1), key), textField(bytesTag(2), value)]);
    parts.push(lengthPrefixed(REQUEST_METADATA, pair));
  }
  return Buffer.concat(parts);
}

/** Length of a request's or response's payload field, tag and length included; an empty payload is left out. */
export function payloadFieldLength(payload: Uint8Array): number {
  return payload.length === 0 ? 0 : 1 + varintLength(payload.length) + payload.length;
}

/** Writes tag and length of a request's payload; the payload itself goes behind it. */
export function writeRequestPayloadTag(into: Uint8Array, offset: number, length: number): number {
  into[offset] = REQUEST_PAYLOAD;
  return writeVarint(into, offset + 1, length);
}

export function writeResponsePayloadTag(into: Uint8Array, offset: number, length: number): number {
  into[offset] = RESPONSE_PAYLOAD;
  return writeVarint(into, offset + 1, length);
}

/** A whole response body that carries a status. */
export function encodeStatusResponse(status: Uint8Array): Uint8Array {
  return lengthPrefixed(RESPONSE_STATUS, status);
}

/** A whole request body. For tests, tools and raw calls; connections write the parts straight into their buffer. */
export function encodeRequest(request: Request): Uint8Array {
  return Buffer.concat([
    encodeMethod(request.service, request.method),
    payloadField(REQUEST_PAYLOAD, request.payload),
    encodeRequestTail(request.timeoutMs, request.metadata) ?? NOTHING,
  ]);
}

/** A whole response body of a call that succeeded. */
export function encodeResponse(payload: Uint8Array): Uint8Array {
  return payloadField(RESPONSE_PAYLOAD, payload);
}

/** The payload is a view of `body`. Throws on bytes that are not a Request. */
export function decodeRequest(body: Uint8Array): Request {
  const reader = new WireReader(body);
  const request: Request = { service: '', method: '', payload: NOTHING, timeoutMs: undefined, metadata: undefined };
  while (!reader.atEnd) {
    const tag = reader.tag();
    switch (tag) {
      case REQUEST_SERVICE:
        request.service = reader.text();
        break;
      case REQUEST_METHOD:
        request.method = reader.text();
        break;
      case REQUEST_PAYLOAD:
        request.payload = reader.view();
        break;
      case REQUEST_TIMEOUT: {
        const timeout = reader.int64();
        request.timeoutMs = timeout === 0 ? undefined : timeout / 1e6;
        break;
      }
      case REQUEST_METADATA:
        request.metadata ??= new Metadata();
        readPair(reader.view(), request.metadata);
        break;
      default:
        reader.skip(tag);
    }
  }
  return request;
}

/** A response taken apart; `status` is the encoded google.rpc.Status, undefined for OK without one. */
export interface Response {
  status: Uint8Array | undefined;
  payload: Uint8Array;
}

/** Both parts are views of `body`. Throws on bytes that are not a Response. */
export function decodeResponse(body: Uint8Array): Response {
  const response: Response = { status: undefined, payload: NOTHING };
  const reader = new WireReader(body);
  while (!reader.atEnd) {
    const tag = reader.tag();
    if (tag === RESPONSE_PAYLOAD) response.payload = reader.view();
    else if (tag === RESPONSE_STATUS) {
      // A message field that comes twice is merged, which for bytes is joining them.
      const status = reader.view();
      response.status = response.status === undefined ? status : Buffer.concat([response.status, status]);
    } else reader.skip(tag);
  }
  return response;
}

function readPair(bytes: Uint8Array, into: Metadata): void {
  const reader = new WireReader(bytes);
  let key = '';
  let value = '';
  while (!reader.atEnd) {
    const tag = reader.tag();
    if (tag === bytesTag(1)) key = reader.text();
    else if (tag === bytesTag(2)) value = reader.text();
    else reader.skip(tag);
  }
  into.append(key, value);
}

/** Never 0, which on the wire means no timeout: a timeout that has run out goes as -1. */
function nanoseconds(milliseconds: number): bigint {
  if (!(milliseconds > 0)) return -1n;
  const whole = Math.floor(milliseconds);
  if (whole >= Number(MAX_INT64 / NANOSECONDS_PER_MILLISECOND)) return MAX_INT64;
  const rest = Math.round((milliseconds - whole) * 1e6);
  return BigInt(whole) * NANOSECONDS_PER_MILLISECOND + BigInt(rest) || 1n;
}

function textField(tag: number, text: string): Uint8Array {
  return text === '' ? NOTHING : lengthPrefixed(tag, Buffer.from(text));
}

function payloadField(tag: number, payload: Uint8Array): Uint8Array {
  return payload.length === 0 ? NOTHING : lengthPrefixed(tag, payload);
}

function lengthPrefixed(tag: number, bytes: Uint8Array): Uint8Array {
  const field = Buffer.allocUnsafe(1 + varintLength(bytes.length) + bytes.length);
  field[0] = tag;
  field.set(bytes, writeVarint(field, 1, bytes.length));
  return field;
}
