import { FeatureFlag, MAX_DATA_XFER_BYTES } from './constants.ts';
import { protocolError } from './errno.ts';
import { newPayload, type Payload, requireArgsz, requireBytes, u64Number } from './fields.ts';

export interface FeatureRequest {
  /** Room for the reply's payload, bytes. */
  argsz: number;
  /** {@link Feature}. */
  feature: number;
  get: boolean;
  set: boolean;
  probe: boolean;
  /** What follows the fixed part, as a window on the payload. */
  data: Uint8Array;
}

export const FEATURE_BYTES = 8;

export function encodeFeature(
  feature: number,
  flags: number,
  data: Uint8Array = new Uint8Array(0),
  argsz = FEATURE_BYTES + data.length,
): Uint8Array {
  const { bytes, view } = newPayload(FEATURE_BYTES + data.length);
  view.setUint32(0, argsz, true);
  view.setUint32(4, feature | flags, true);
  bytes.set(data, FEATURE_BYTES);
  return bytes;
}

export function decodeFeature(payload: Payload): FeatureRequest {
  requireBytes(payload, FEATURE_BYTES, 'DEVICE_FEATURE');
  const argsz = payload.view.getUint32(payload.start, true);
  requireArgsz(argsz, FEATURE_BYTES, 'DEVICE_FEATURE');
  const flags = payload.view.getUint32(payload.start + 4, true);
  const known = FeatureFlag.MASK | FeatureFlag.GET | FeatureFlag.SET | FeatureFlag.PROBE;
  if ((flags & ~known) !== 0) throw protocolError(`DEVICE_FEATURE: unknown flags 0x${flags.toString(16)}`);
  return {
    argsz,
    feature: flags & FeatureFlag.MASK,
    get: (flags & FeatureFlag.GET) !== 0,
    set: (flags & FeatureFlag.SET) !== 0,
    probe: (flags & FeatureFlag.PROBE) !== 0,
    data: payload.bytes.subarray(payload.start + FEATURE_BYTES, payload.start + payload.length),
  };
}

/** Start of dirty page logging; ranges are optional and only narrow it. */
export interface LoggingStart {
  pageBytes: number;
  ranges: { address: bigint; size: bigint }[];
}

export function encodeLoggingStart(start: LoggingStart): Uint8Array {
  const { bytes, view } = newPayload(16 + start.ranges.length * 16);
  view.setBigUint64(0, BigInt(start.pageBytes), true);
  view.setUint32(8, start.ranges.length, true);
  start.ranges.forEach((range, index) => {
    view.setBigUint64(16 + index * 16, range.address, true);
    view.setBigUint64(24 + index * 16, range.size, true);
  });
  return bytes;
}

export function decodeLoggingStart(payload: Payload): LoggingStart {
  requireBytes(payload, 16, 'DMA_LOGGING_START');
  const { view, start } = payload;
  const count = view.getUint32(start + 8, true);
  requireBytes(payload, 16 + count * 16, 'DMA_LOGGING_START');
  return {
    pageBytes: u64Number(view, start),
    ranges: Array.from({ length: count }, (_, index) => ({
      address: view.getBigUint64(start + 16 + index * 16, true),
      size: view.getBigUint64(start + 24 + index * 16, true),
    })),
  };
}

export interface LoggingReport {
  address: bigint;
  size: bigint;
  pageBytes: number;
}

export const LOGGING_REPORT_BYTES = 24;

export function encodeLoggingReport(report: LoggingReport, bitmap: Uint8Array = new Uint8Array(0)): Uint8Array {
  const { bytes, view } = newPayload(LOGGING_REPORT_BYTES + bitmap.length);
  view.setBigUint64(0, report.address, true);
  view.setBigUint64(8, report.size, true);
  view.setBigUint64(16, BigInt(report.pageBytes), true);
  bytes.set(bitmap, LOGGING_REPORT_BYTES);
  return bytes;
}

export function decodeLoggingReport(payload: Payload): LoggingReport {
  requireBytes(payload, LOGGING_REPORT_BYTES, 'DMA_LOGGING_REPORT');
  const { view, start } = payload;
  return {
    address: view.getBigUint64(start, true),
    size: view.getBigUint64(start + 8, true),
    pageBytes: u64Number(view, start + 16),
  };
}

/** Bytes of a dirty bitmap: one bit a page, whole 64-bit words. Throws EINVAL on a bad page size or one above 1 MiB. */
export function bitmapBytes(size: bigint, pageBytes: bigint): number {
  if (pageBytes <= 0n || (pageBytes & (pageBytes - 1n)) !== 0n)
    throw protocolError(`dirty bitmap: page size ${pageBytes} is no power of two`);
  if (size < pageBytes) throw protocolError(`dirty bitmap: ${size} bytes are less than a page of ${pageBytes}`);
  const pages = (size + pageBytes - 1n) / pageBytes;
  const bytes = ((pages + 63n) / 64n) * 8n;
  if (bytes > BigInt(MAX_DATA_XFER_BYTES)) throw protocolError(`dirty bitmap: ${bytes} bytes are above 1 MiB`);
  return Number(bytes);
}
