/** JSON for scripts; numbers above 2^53 are written exactly, which JSON.stringify refuses. */
export function stringifyJson(value: unknown): string {
  const text = JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? `\0${inner}\0` : inner), 2);
  return text.replace(/"\\u0000(-?\d+)\\u0000"/g, '$1');
}
