/**
 * JSON text of a document that may hold bigints, which JSON.stringify refuses. Members keep their order; `undefined`
 * members are left out.
 * @param indent spaces a level; 0, the default, is one line
 */
export function stringifyJson(value: unknown, indent = 0): string {
  return write(value, ' '.repeat(indent), '\n') ?? 'null';
}

function write(value: unknown, indent: string, lineBreak: string): string | undefined {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = lineBreak + indent;
  const isArray = Array.isArray(value);
  const parts: string[] = [];
  if (isArray) {
    for (const item of value) parts.push(write(item, indent, inner) ?? 'null');
  } else {
    for (const name of Object.keys(value)) {
      const text = write((value as Record<string, unknown>)[name], indent, inner);
      if (text !== undefined) parts.push(`${JSON.stringify(name)}:${indent ? ' ' : ''}${text}`);
    }
  }
  const [open, close] = isArray ? '[]' : '{}';
  if (parts.length === 0) return `${open}${close}`;
  return indent ? `${open}${inner}${parts.join(`,${inner}`)}${lineBreak}${close}` : `${open}${parts.join(',')}${close}`;
}
