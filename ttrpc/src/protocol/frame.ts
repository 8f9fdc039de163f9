/** Numbers of the wire format. PROTOCOL.md has the tables; the code reads like them. */

/** Bytes of a frame header: length u32, stream u32, type u8, flags u8, big endian. */
export const HEADER_LENGTH = 10;

/** Largest body of a frame, in bytes, inclusive: 4 MiB. */
export const MAX_BODY_LENGTH = 4 * 1024 * 1024;

export const FrameType = { REQUEST: 1, RESPONSE: 2, DATA: 3 } as const;

export const Flag = {
  /** The sender sends nothing more on this stream. */
  REMOTE_CLOSED: 1,
  /** On a request: data frames of the client follow. */
  REMOTE_OPEN: 2,
  /** The frame carries no message; an empty body is otherwise an empty message. */
  NO_DATA: 4,
} as const;

/** Writes a header at `offset` and returns the offset behind it. */
export function writeHeader(
  into: Uint8Array,
  offset: number,
  length: number,
  streamId: number,
  type: number,
  flags: number,
): number {
  into[offset] = length >>> 24;
  into[offset + 1] = length >>> 16;
  into[offset + 2] = length >>> 8;
  into[offset + 3] = length;
  into[offset + 4] = streamId >>> 24;
  into[offset + 5] = streamId >>> 16;
  into[offset + 6] = streamId >>> 8;
  into[offset + 7] = streamId;
  into[offset + 8] = type;
  into[offset + 9] = flags;
  return offset + HEADER_LENGTH;
}

export function readUint32(from: Uint8Array, offset: number): number {
  return ((from[offset]! << 24) | (from[offset + 1]! << 16) | (from[offset + 2]! << 8) | from[offset + 3]!) >>> 0;
}

/** One whole frame as bytes. For tests and tools; connections write into a shared buffer instead. */
export function encodeFrame(streamId: number, type: number, flags: number, body: Uint8Array): Uint8Array {
  const frame = new Uint8Array(HEADER_LENGTH + body.length);
  writeHeader(frame, 0, body.length, streamId, type, flags);
  frame.set(body, HEADER_LENGTH);
  return frame;
}

/** What went over the limit, in the words of the Go implementation. */
export function oversizeMessage(length: number, limit: number): string {
  return `message length ${length} exceed maximum message size of ${limit}`;
}
