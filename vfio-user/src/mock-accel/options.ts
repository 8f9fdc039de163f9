import { VfioUserError } from '../errors.ts';
import { APERTURE_BAR, MAX_VFS, PCI_DEVICE_ID_PF, PCI_DEVICE_ID_VF, PCI_VENDOR_ID } from './gen/registers.ts';
import { parseIdentity } from './identity.ts';

/** What makes one mock-accel function. Everything is optional. */
export interface MockAccelOptions {
  /** RFC 4122 text, or up to 16 ASCII characters. Default `MOCK-0000-0001`. */
  uuid?: string;
  /** Bytes, as number, bigint or text with K, M, G or T. Default 16G, for a virtual function 2G. */
  memorySize?: bigint | number | string;
  /** A virtual function: other device id, and invisible to a plain scan. */
  vf?: boolean;
  /** Which virtual function, from 0; only for messages. */
  vfIndex?: number;
  /** Physical function: virtual functions it can have, 0..7. Default 0, no SR-IOV. */
  totalVfs?: number;
  /** PCI identity, numbers or 0x text. */
  vendor?: number | string;
  device?: number | string;
  subsystemVendor?: number | string;
  subsystem?: number | string;
  /** 24 bits: class, subclass, interface. */
  classCode?: number | string;
  revision?: number | string;
  /** Device memory that the guest may map, bytes: a power of two of 4096 or more. Default 0, no aperture. */
  aperture?: bigint | number | string;
  /** The DMA engine. Default true. */
  dma?: boolean;
  /** Four MSI-X vectors. Default true. */
  msix?: boolean;
  /** INTx line for guests that do not use MSI-X. Default false: it costs the VMM its mapped BARs while used. */
  intx?: boolean;
  /** Words of the passphrases: a file with one a line. Default: 256 words of our own. */
  wordList?: string;
  /** STATUS after reset, default 1. */
  status?: number | string;
  /** FW_VERSION: major in bits 31:16, minor in 15:8, patch in 7:0. Default 0x00010000. */
  firmwareVersion?: number | string;
}

/** The options with every default in place and every value checked. */
export interface MockAccelSettings {
  uuid: Uint8Array;
  memorySize: bigint;
  vf: boolean;
  totalVfs: number;
  vendor: number;
  device: number;
  subsystemVendor: number;
  subsystem: number;
  classCode: number;
  revision: number;
  aperture: number;
  dma: boolean;
  msix: boolean;
  intx: boolean;
  wordList: string | undefined;
  status: number;
  firmwareVersion: number;
}

const known = new Set<string>([
  ...['uuid', 'memorySize', 'vf', 'vfIndex', 'totalVfs', 'vendor', 'device', 'subsystemVendor', 'subsystem'],
  ...['classCode', 'revision', 'aperture', 'dma', 'msix', 'intx', 'wordList', 'status', 'firmwareVersion'],
]);
/** Mapped whole by this process in some tests and by the VMM: what a 64-bit BAR below the usual limits can be. */
const MAX_APERTURE_BYTES = 1n << 36n;

/** Throws INVALID_OPTION that names the option, its value and what would be right. */
export function resolveOptions(options: MockAccelOptions): MockAccelSettings {
  for (const key of Object.keys(options))
    if (!known.has(key))
      throw invalid(key, options[key as keyof MockAccelOptions], `known are ${[...known].join(', ')}`);
  const vf = flag('vf', options.vf, false);
  const aperture = parseSize('aperture', options.aperture ?? 0n);
  if (aperture !== 0n && (aperture < 4096n || aperture > MAX_APERTURE_BYTES || (aperture & (aperture - 1n)) !== 0n))
    throw invalid(
      'aperture',
      options.aperture,
      `a power of two of 4K..${MAX_APERTURE_BYTES >> 30n}G is right (BAR${APERTURE_BAR})`,
    );
  const memorySize = parseSize('memorySize', options.memorySize ?? (vf ? '2G' : '16G'));
  if (memorySize === 0n || memorySize < aperture)
    throw invalid('memorySize', options.memorySize, 'at least 1 byte and the aperture');
  const totalVfs = integer('totalVfs', options.totalVfs, 0, MAX_VFS);
  if (vf && totalVfs > 0) throw invalid('totalVfs', totalVfs, 'a virtual function has none');
  integer('vfIndex', options.vfIndex, 0, MAX_VFS - 1);
  return {
    uuid: parseIdentity(options.uuid ?? 'MOCK-0000-0001'),
    memorySize,
    vf,
    totalVfs,
    vendor: integer('vendor', options.vendor, PCI_VENDOR_ID, 0xfffe),
    device: integer('device', options.device, vf ? PCI_DEVICE_ID_VF : PCI_DEVICE_ID_PF, 0xffff),
    subsystemVendor: integer('subsystemVendor', options.subsystemVendor, 0, 0xffff),
    subsystem: integer('subsystem', options.subsystem, 0, 0xffff),
    classCode: integer('classCode', options.classCode, 0, 0xffffff),
    revision: integer('revision', options.revision, 0, 0xff),
    aperture: Number(aperture),
    dma: flag('dma', options.dma, true),
    msix: flag('msix', options.msix, true),
    intx: flag('intx', options.intx, false),
    wordList: options.wordList,
    status: integer('status', options.status, 1, 0xffffffff),
    firmwareVersion: integer('firmwareVersion', options.firmwareVersion, 0x00010000, 0xffffffff),
  };
}

const units: Record<string, bigint> = { '': 1n, K: 1n << 10n, M: 1n << 20n, G: 1n << 30n, T: 1n << 40n };

/** Bytes of a size: a number, or digits with K, M, G or T. */
export function parseSize(name: string, value: bigint | number | string): bigint {
  if (typeof value === 'bigint' && value >= 0n && value < 1n << 64n) return value;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  const match = typeof value === 'string' ? /^(\d{1,20})([KMGT]?)(i?B)?$/i.exec(value) : null;
  const bytes = match ? BigInt(match[1]!) * units[match[2]!.toUpperCase()]! : -1n;
  if (bytes < 0n || bytes >= 1n << 64n) throw invalid(name, value, 'bytes below 2^64, with K, M, G or T if you like');
  return bytes;
}

function integer(name: string, value: number | string | undefined, fallback: number, max: number): number {
  if (value === undefined) return fallback;
  const number = typeof value === 'string' && /^(0x[0-9a-f]+|\d+)$/i.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > max)
    throw invalid(name, value, `an integer of 0..${max} (0x${max.toString(16)})`);
  return number;
}

function flag(name: string, value: boolean | undefined, fallback: boolean): boolean {
  if (value !== undefined && typeof value !== 'boolean') throw invalid(name, value, 'true or false');
  return value ?? fallback;
}

function invalid(name: string, value: unknown, right: string): VfioUserError {
  const text = typeof value === 'bigint' ? String(value) : JSON.stringify(value);
  return new VfioUserError('INVALID_OPTION', `mock-accel option ${name}: ${text} is not valid; ${right}`);
}
