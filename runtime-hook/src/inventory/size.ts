import { KataMockError } from '../errors.ts';
import { quote } from './quote.ts';

const units: Record<string, bigint> = { '': 1n, K: 1n << 10n, M: 1n << 20n, G: 1n << 30n, T: 1n << 40n };
/** What MEMORY_SIZE can hold is 64 bits; a mock never needs the top one. */
const most = (1n << 63n) - 1n;

/** Bytes of a size such as `16G`, `512M`, `4096` (K, M, G, T are powers of 1024, any case; `iB` and `B` may follow). */
export function parseSize(text: string): bigint {
  const match = /^([0-9]{1,19})([KMGT]?)(?:I?B)?$/i.exec(text);
  if (!match) {
    throw new KataMockError('USAGE', `size ${quote(text)} is not a number of bytes`, {
      hint: 'write for example 16G, 512M or 4096',
    });
  }
  const bytes = BigInt(match[1] ?? '') * (units[(match[2] ?? '').toUpperCase()] ?? 1n);
  if (bytes > most) throw new KataMockError('USAGE', `size ${quote(text)} is larger than 2^63 - 1 bytes`);
  return bytes;
}

/** Shortest exact form: `16G`, `1536M`, `1000`. */
export function formatSize(bytes: bigint): string {
  for (const unit of ['T', 'G', 'M', 'K']) {
    const size = units[unit] ?? 1n;
    if (bytes !== 0n && bytes % size === 0n) return `${bytes / size}${unit}`;
  }
  return bytes.toString();
}
