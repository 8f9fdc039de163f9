import { MAX_DATA_XFER_BYTES, MAX_MESSAGE_FDS } from '../protocol/index.ts';

/** What the proxy itself can pass on in one message, by the keys of VERSION. */
const limits: Record<string, number> = {
  max_msg_fds: MAX_MESSAGE_FDS,
  max_data_xfer_size: MAX_DATA_XFER_BYTES,
};
/** One of those keys with its number. The same name elsewhere in the text would be narrowed too, which is harmless. */
const LIMIT = /("(max_msg_fds|max_data_xfer_size)"[ \t\r\n]*:[ \t\r\n]*)([-+.\deE]+)/g;

/**
 * Makes a VERSION payload say no more than the proxy can pass on, in place: both sides agree on messages that it has to
 * take. The length stays, as a client may have room for no more, and so does everything else: numbers of other keys may
 * be greater than JavaScript's.
 */
export function narrowVersion(payload: Uint8Array): void {
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  const narrow = (whole: string, before: string, key: string, number: string) => {
    const limit = limits[key]!;
    if (!(Number(number) > limit)) return whole;
    // Only what is written with an exponent can be greater and shorter.
    const right = String(limit).length <= number.length ? String(limit) : '1e6';
    return before + right.padStart(number.length);
  };
  // Latin-1 has a character for each byte.
  text.write(text.toString('latin1').replace(LIMIT, narrow), 'latin1');
}
