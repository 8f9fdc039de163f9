import { HEADER_BYTES } from './constants.ts';

/** The 16 bytes before every message. */
export interface Header {
  /** Chosen by the sender of a command, echoed in its reply. */
  id: number;
  command: number;
  /** Bytes of the whole message, header included. */
  size: number;
  /** {@link HeaderFlag}. */
  flags: number;
  /** errno of an error reply. */
  errno: number;
}

export function readHeader(view: DataView, at: number): Header {
  return {
    id: view.getUint16(at, true),
    command: view.getUint16(at + 2, true),
    size: view.getUint32(at + 4, true),
    flags: view.getUint32(at + 8, true),
    errno: view.getUint32(at + 12, true),
  };
}

export function writeHeader(view: DataView, at: number, header: Header): void {
  view.setUint16(at, header.id, true);
  view.setUint16(at + 2, header.command, true);
  view.setUint32(at + 4, header.size, true);
  view.setUint32(at + 8, header.flags, true);
  view.setUint32(at + 12, header.errno, true);
}

/** A whole message: header for `payload` and the payload. */
export function encodeMessage(header: Omit<Header, 'size'>, payload: Uint8Array = new Uint8Array(0)): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  writeHeader(new DataView(bytes.buffer), 0, { ...header, size: bytes.length });
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}
