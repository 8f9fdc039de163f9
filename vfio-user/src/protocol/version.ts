import { MAX_DATA_XFER_BYTES, MAX_DMA_MAPS, PAGE_BYTES } from './constants.ts';
import { protocolError } from './errno.ts';
import { newPayload, type Payload, requireBytes } from './fields.ts';

export const PROTOCOL_MAJOR = 0;
/** Newest minor this implementation answers with. */
export const PROTOCOL_MINOR = 2;

/** 2^64 - 1 as a number. */
const MAX_U64 = 2 ** 64;

/** What one side tells about itself in VERSION; absent keys have the defaults of {@link effectiveCapabilities}. */
export interface Capabilities {
  /** Descriptors the sender takes in one message. */
  max_msg_fds?: number;
  /** Bytes of data the sender takes in one message. */
  max_data_xfer_size?: number;
  max_dma_maps?: number;
  /** Page sizes of DMA maps, OR-ed. Rounded where it has more bits than a number; this implementation's is 4096 for all. */
  pgsizes?: number;
  /** Page and bitmap sizes are said again by each command that needs them, so nothing is made of these. */
  migration?: { pgsize?: number; max_bitmap_size?: number };
  /** A second socket for commands of the server. */
  twin_socket?: { supported?: boolean; fd_index?: number };
  /** The sender handles REGION_WRITE_MULTI. */
  write_multiple?: boolean;
}

export interface Version {
  major: number;
  minor: number;
  /** Absent when the message has no JSON. */
  capabilities?: Capabilities;
}

export function encodeVersion(version: Version): Uint8Array {
  const json = version.capabilities === undefined ? '' : `${JSON.stringify({ capabilities: version.capabilities })}\0`;
  const text = new TextEncoder().encode(json);
  const { bytes, view } = newPayload(4 + text.length);
  view.setUint16(0, version.major, true);
  view.setUint16(2, version.minor, true);
  bytes.set(text, 4);
  return bytes;
}

/** Throws EINVAL on a short payload, JSON that does not end in its only NUL, or a key of the wrong type or range. */
export function decodeVersion(payload: Payload): Version {
  requireBytes(payload, 4, 'VERSION');
  const major = payload.view.getUint16(payload.start, true);
  const minor = payload.view.getUint16(payload.start + 2, true);
  if (payload.length === 4) return { major, minor };
  const text = payload.bytes.subarray(payload.start + 4, payload.start + payload.length);
  if (text[text.length - 1] !== 0) throw protocolError('VERSION: the JSON text does not end in NUL');
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text.subarray(0, -1)));
  } catch (cause) {
    throw protocolError(`VERSION: the text is no JSON (${(cause as Error).name})`);
  }
  const top = object(parsed, 'the JSON text');
  return { major, minor, capabilities: parseCapabilities(top['capabilities']) };
}

/** The values in force when a side sent `capabilities`. */
export function effectiveCapabilities(capabilities: Capabilities | undefined) {
  return {
    maxMsgFds: capabilities?.max_msg_fds ?? 1,
    maxDataXferBytes: capabilities?.max_data_xfer_size ?? MAX_DATA_XFER_BYTES,
    maxDmaMaps: capabilities?.max_dma_maps ?? MAX_DMA_MAPS,
    twinSocket: capabilities?.twin_socket?.supported ?? false,
  };
}

function parseCapabilities(value: unknown): Capabilities {
  if (value === undefined) return {};
  const input = object(value, 'capabilities');
  const result: Capabilities = {};
  integer(input, 'max_msg_fds', 0, 1024, (number) => (result.max_msg_fds = number));
  integer(input, 'max_data_xfer_size', 0, MAX_U64, (number) => (result.max_data_xfer_size = number));
  integer(input, 'max_dma_maps', 0, MAX_U64, (number) => (result.max_dma_maps = number));
  integer(input, 'pgsizes', 0, MAX_U64, (number) => (result.pgsizes = number));
  boolean(input, 'write_multiple', (flag) => (result.write_multiple = flag));
  if (input['migration'] !== undefined) {
    const migration = object(input['migration'], 'migration');
    result.migration = {};
    integer(migration, 'pgsize', 0, MAX_U64, (number) => (result.migration!.pgsize = number));
    integer(migration, 'max_bitmap_size', 0, MAX_U64, (number) => (result.migration!.max_bitmap_size = number));
    // 0 is none: libvfio-user takes it too.
    const { pgsize = 0 } = result.migration;
    if (pgsize % PAGE_BYTES !== 0)
      throw protocolError(`VERSION: migration.pgsize ${pgsize} is no multiple of ${PAGE_BYTES}`);
  }
  if (input['twin_socket'] !== undefined) {
    const twin = object(input['twin_socket'], 'twin_socket');
    result.twin_socket = {};
    boolean(twin, 'supported', (flag) => (result.twin_socket!.supported = flag));
    integer(twin, 'fd_index', 0, 1024, (number) => (result.twin_socket!.fd_index = number));
  }
  return result;
}

function object(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw protocolError(`VERSION: ${name} is no JSON object`);
  return value as Record<string, unknown>;
}

function integer(
  input: Record<string, unknown>,
  key: string,
  min: number,
  max: number,
  store: (value: number) => void,
): void {
  const value = input[key];
  if (value === undefined) return;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max)
    throw protocolError(`VERSION: ${key} is no integer of ${min}..${max}`);
  store(value);
}

function boolean(input: Record<string, unknown>, key: string, store: (value: boolean) => void): void {
  const value = input[key];
  if (value === undefined) return;
  if (typeof value !== 'boolean') throw protocolError(`VERSION: ${key} is no boolean`);
  store(value);
}
