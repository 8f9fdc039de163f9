import { CdiError } from '../errors.ts';
import type { CdiSpec } from '../types.ts';
import { validateCdiSpec } from '../validate.ts';
import { specFromJson } from './json.ts';
import { specFromYaml } from './yaml.ts';

/** YAML beyond this is refused: the worst text of this size keeps its parser busy for a second or two. */
const MAX_YAML = 1024 * 1024;

export interface ReadOptions {
  /** `go`: the Go reference's behaviour where ours differs and someone could depend on it. */
  compat?: 'go';
  /** Knows the proposals for CDI 1.2.0. */
  proposals?: boolean;
  /** A further check of every spec, such as one by a schema; throws what is wrong. */
  check?: (spec: CdiSpec) => void;
}

/**
 * Reads and validates a spec.
 * @param format `json` text may be YAML as well, since the reference reads both with one parser
 * @throws {CdiError} SYNTAX, LIMIT or INVALID
 */
export function parseCdiSpec(text: string | Uint8Array, format: 'json' | 'yaml', options: ReadOptions = {}): CdiSpec {
  const content = typeof text === 'string' ? withoutMark(text) : decode(text);
  const proposals = options.proposals ?? false;
  const spec = format === 'json' ? jsonOrYaml(content, proposals) : yaml(content, proposals);
  validateCdiSpec(spec, options);
  options.check?.(spec);
  return spec;
}

function jsonOrYaml(content: string, proposals: boolean): CdiSpec {
  try {
    return specFromJson(content, proposals);
  } catch (error) {
    if (!(error instanceof CdiError) || error.code !== 'SYNTAX' || /duplicate member/.test(error.message)) throw error;
    if (content.trim() === '') return specFromYaml('', proposals);
    try {
      return yaml(content, proposals);
    } catch (second) {
      // A fault beyond syntax means that YAML it was.
      throw second instanceof CdiError && second.code !== 'SYNTAX' ? second : error;
    }
  }
}

function yaml(content: string, proposals: boolean): CdiSpec {
  if (content.length > MAX_YAML) {
    throw new CdiError('LIMIT', `${content.length} characters of YAML, ${MAX_YAML} at most; write large specs as JSON`);
  }
  return specFromYaml(content, proposals);
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new CdiError('SYNTAX', 'the text is not valid UTF-8', { cause });
  }
}

function withoutMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}
