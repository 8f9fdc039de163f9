/**
 * What an unquoted YAML scalar means to the reference's parser: YAML 1.1 without sexagesimal numbers and timestamps,
 * which it reads as text, and with the octal forms `0600` and `0o600`.
 */
export function plainScalar(source: string): string | number | bigint | boolean | null {
  const word = words.get(source);
  if (word !== undefined) return word;
  if (!/^[-+.0-9]/.test(source)) return source;
  const digits = source.replaceAll('_', '');
  return wholeNumber(digits) ?? fraction(digits) ?? source;
}

const words = new Map<string, boolean | null>([
  ['', null],
  ['~', null],
  ...spellings('null', null),
  ...spellings('true', true),
  ...spellings('yes', true),
  ...spellings('on', true),
  ...spellings('false', false),
  ...spellings('no', false),
  ...spellings('off', false),
  ['y', true],
  ['Y', true],
  ['n', false],
  ['N', false],
]);

function spellings<T>(word: string, meaning: T): [string, T][] {
  const capital = word.charAt(0).toUpperCase() + word.slice(1);
  return [word, capital, word.toUpperCase()].map((spelling) => [spelling, meaning]);
}

function wholeNumber(digits: string): number | bigint | undefined {
  const match = /^([-+]?)(?:0[bB]([01]+)|0[xX]([0-9a-fA-F]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/.exec(digits);
  if (!match || digits.length > 100) return undefined;
  const [, sign, binary, hexadecimal, octal, decimal] = match;
  const magnitude = BigInt(decimal ?? (binary && `0b${binary}`) ?? (hexadecimal && `0x${hexadecimal}`) ?? `0o${octal}`);
  const value = sign === '-' ? -magnitude : magnitude;
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function fraction(digits: string): number | undefined {
  if (/^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/.test(digits)) return Number(digits);
  if (/^[-+]?\.(?:inf|Inf|INF)$/.test(digits)) return digits.startsWith('-') ? -Infinity : Infinity;
  return /^\.(?:nan|NaN|NAN)$/.test(digits) ? NaN : undefined;
}
