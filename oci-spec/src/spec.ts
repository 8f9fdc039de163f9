import { SpecError } from './errors.ts';
import { parseJson } from './json/parse.ts';
import { stringifyJson } from './json/stringify.ts';
import type { Spec } from './types/index.ts';

/**
 * Reads `config.json`. Numbers stay exact and unknown members stay; nothing but "this is a JSON object" is checked, so
 * that a spec which a newer runtime would take is not refused: see `validateSpec` for that.
 * @throws {SpecError} SYNTAX, LIMIT or INVALID
 */
export function parseSpec(text: string | Uint8Array): Spec {
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new SpecError('INVALID', '$', 'an OCI spec is a JSON object');
  }
  return value as object as Spec;
}

/**
 * Writes a spec as JSON, members in the order they have.
 * @param options.indent spaces a level; absent: one line
 */
export function stringifySpec(spec: Spec, options: { indent?: number } = {}): string {
  return stringifyJson(spec, options.indent);
}
