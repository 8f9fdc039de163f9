import { parseJson, SpecError } from '@kata-mock/oci-spec';
import { CdiError } from '../errors.ts';
import type { CdiSpec } from '../types.ts';
import { Context } from './decode.ts';
import { decodeSpec } from './spec-decoder.ts';

/** JSON.parse has no limit of depth, so that what is larger than honest specs goes to the parser that has. */
const MAX_FAST = 1024 * 1024;

/**
 * Reads a spec from JSON text. JSON.parse does the work in the common case. It lets the last of two equal members win
 * and rounds large numbers, so two things are checked afterwards: in a text without escapes every colon either belongs
 * to a member or is inside a text that we have seen, unless a member was overwritten; and the decoder takes safe
 * integers only. When a check fails the slow, exact parser decides.
 * @throws {CdiError} SYNTAX, LIMIT or INVALID
 */
export function specFromJson(text: string, proposals: boolean): CdiSpec {
  if (text.length <= MAX_FAST && !text.includes('\\')) {
    const context = new Context();
    try {
      const spec = decodeSpec(JSON.parse(text), proposals, context);
      if (count(text, ':') === context.members + context.colons) return spec;
    } catch {
      // The exact parser words the error.
    }
  }
  return decodeSpec(parseExactly(text), proposals);
}

function parseExactly(text: string): unknown {
  try {
    return parseJson(text, { duplicates: 'error', maxDepth: 64 });
  } catch (cause) {
    if (!(cause instanceof SpecError)) throw cause;
    throw new CdiError(cause.code === 'LIMIT' ? 'LIMIT' : 'SYNTAX', cause.message, { cause });
  }
}

function count(text: string, letter: string): number {
  let found = 0;
  for (let at = text.indexOf(letter); at >= 0; at = text.indexOf(letter, at + 1)) found++;
  return found;
}
