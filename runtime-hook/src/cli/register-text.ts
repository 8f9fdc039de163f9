/** Longest register shown as it is, in hex digits: those of 16 bytes. */
const longest = 32;

/** A register's value for a table: a buffer (longer than any number) as the text in it, or as its length. */
export function registerText(value: string): string {
  const digits = value.replace(/^0x/, '');
  if (digits.length <= longest) return value;
  const bytes = Buffer.from(digits, 'hex');
  const text = bytes.subarray(0, Math.max(0, bytes.indexOf(0))).toString('latin1');
  if (text === '') return `${bytes.byteLength} bytes`;
  return JSON.stringify(text);
}
