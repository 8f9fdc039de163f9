import { protocolError } from './errno.ts';
import { newPayload, type Payload, requireArgsz, requireBytes } from './fields.ts';

export interface MigData {
  argsz: number;
  /** Bytes wanted (read) or given (write). */
  size: number;
  /** What follows the fixed part, as a window on the payload. */
  data: Uint8Array;
}

export const MIG_DATA_BYTES = 8;

export function encodeMigData(
  size: number,
  data: Uint8Array = new Uint8Array(0),
  argsz = MIG_DATA_BYTES + size,
): Uint8Array {
  const { bytes, view } = newPayload(MIG_DATA_BYTES + data.length);
  view.setUint32(0, argsz, true);
  view.setUint32(4, size, true);
  bytes.set(data, MIG_DATA_BYTES);
  return bytes;
}

export function decodeMigData(payload: Payload, what: 'MIG_DATA_READ' | 'MIG_DATA_WRITE'): MigData {
  requireBytes(payload, MIG_DATA_BYTES, what);
  const argsz = payload.view.getUint32(payload.start, true);
  const size = payload.view.getUint32(payload.start + 4, true);
  requireArgsz(argsz, MIG_DATA_BYTES + size, what);
  const data = payload.bytes.subarray(payload.start + MIG_DATA_BYTES, payload.start + payload.length);
  if (what === 'MIG_DATA_WRITE' && data.length !== size)
    throw protocolError(`${what}: ${data.length} bytes of data, size says ${size}`);
  return { argsz, size, data };
}
