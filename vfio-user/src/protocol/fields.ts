import { protocolError } from './errno.ts';

/** A payload: a window on some buffer, whose contents the peer chose. */
export interface Payload {
  view: DataView;
  bytes: Uint8Array;
  start: number;
  length: number;
}

/** The payload that is all of `bytes`. */
export function payloadOf(bytes: Uint8Array): Payload {
  return { view: viewOf(bytes), bytes, start: 0, length: bytes.length };
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Throws EINVAL unless the payload has at least `bytes` bytes. */
export function requireBytes(payload: Payload, bytes: number, what: string): void {
  if (payload.length < bytes)
    throw protocolError(`${what}: payload of ${payload.length} bytes is shorter than its ${bytes} fixed bytes`);
}

/** Throws EINVAL unless argsz, the room the peer has for the reply, is at least `bytes`. */
export function requireArgsz(argsz: number, bytes: number, what: string): void {
  if (argsz < bytes) throw protocolError(`${what}: argsz ${argsz} is less than ${bytes}`);
}

/** 64-bit unsigned field as a number: exact up to 2^53, above it only good for "too large". */
export function u64Number(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 4294967296;
}

/** A zeroed payload of `size` bytes and its view. */
export function newPayload(size: number): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(size);
  return { bytes, view: new DataView(bytes.buffer) };
}
