import { VfioUserError } from '../errors.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The 16 bytes of the UUID register: those of an RFC 4122 text, or up to 16 ASCII characters padded with zeros. */
export function parseIdentity(text: string): Uint8Array {
  if (typeof text !== 'string') throw refuse(String(text), 'it is no text');
  const bytes = new Uint8Array(16);
  if (UUID.test(text)) {
    bytes.set(Buffer.from(text.replaceAll('-', ''), 'hex'));
    return bytes;
  }
  if (!/^[ -~]+$/.test(text)) throw refuse(text, 'it is empty or not ASCII');
  if (text.length > 16) throw refuse(text, `it has ${text.length} characters and is no RFC 4122 UUID`);
  bytes.set(Buffer.from(text, 'latin1'));
  return bytes;
}

/** RFC 4122 text of 16 bytes, as the driver prints it. */
export function formatUuid(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

function refuse(text: string, reason: string): VfioUserError {
  const right = 'give an RFC 4122 UUID or at most 16 ASCII characters';
  return new VfioUserError('INVALID_OPTION', `UUID ${JSON.stringify(text.slice(0, 80))}: ${reason}; ${right}`);
}
