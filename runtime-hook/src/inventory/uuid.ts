import { createHash } from 'node:crypto';
import { KataMockError } from '../errors.ts';
import { quote } from './quote.ts';

const rfc4122 = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The device's UUID as the guest will print it. An RFC 4122 text is its own 16 bytes; any other text of up to 16
 * printable ASCII characters (`MOCK-NUMA0-0001`) fills the register as it is, padded with zeros.
 */
export function canonicalUuid(text: string): string {
  if (rfc4122.test(text)) return text.toLowerCase();
  if (!/^[!-~]{1,16}$/.test(text)) {
    throw new KataMockError('USAGE', `UUID ${quote(text)} is neither an RFC 4122 UUID nor 1 to 16 ASCII characters`, {
      hint: 'write for example 3f2504e0-4f89-41d3-9a0c-0305e82c3301 or MOCK-0000-0001',
    });
  }
  const bytes = Buffer.alloc(16);
  bytes.write(text, 'latin1');
  return format(bytes);
}

/** A version 8 UUID that is the same for the same parts, and for no others. */
export function derivedUuid(...parts: string[]): string {
  const bytes = createHash('sha256').update(JSON.stringify(parts)).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return format(bytes);
}

function format(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
