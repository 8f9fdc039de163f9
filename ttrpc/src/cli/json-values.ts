import { UsageError } from './usage.ts';

/** Longest text of one value: what makes a message of 4 MiB, in base64 and with room for its names. */
const MAX_TEXT = 16 * 1024 * 1024;

/**
 * The JSON objects in a text that comes in pieces, each as soon as its brace closes; white space, commas or nothing
 * may stand between them. So messages of a stream go out while the rest is still being typed.
 */
export async function* jsonValues(pieces: AsyncIterable<string> | Iterable<string>): AsyncGenerator<string> {
  let value = '';
  let depth = 0;
  let inString = false;
  let escaped = false;
  for await (const piece of pieces) {
    let start = 0;
    for (let i = 0; i < piece.length; i++) {
      const char = piece[i]!;
      if (inString) {
        if (escaped) escaped = false;
        else if (char === '\\') escaped = true;
        else if (char === '"') inString = false;
      } else if (char === '"' && depth > 0) inString = true;
      else if (char === '{' || (char === '[' && depth > 0)) {
        if (depth === 0) start = i;
        depth++;
      } else if ((char === '}' || char === ']') && depth > 0) {
        depth--;
        if (depth > 0) continue;
        yield value + piece.slice(start, i + 1);
        value = '';
      } else if (depth === 0 && !/[\s,]/.test(char)) {
        throw new UsageError(`messages are JSON objects; found ${JSON.stringify(piece.slice(i, i + 20))}`);
      }
    }
    if (depth > 0) value += piece.slice(start);
    if (value.length > MAX_TEXT) throw new UsageError(`a message of more than ${MAX_TEXT} characters`);
  }
  if (depth > 0) throw new UsageError(`the JSON ends within a message: ${JSON.stringify(value.slice(0, 60))}`);
}
