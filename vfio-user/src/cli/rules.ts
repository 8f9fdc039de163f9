import { readFileSync } from 'node:fs';
import { VfioUserError } from '../errors.ts';
import { parseRule } from '../faults/rule.ts';

/** The rules of a fault file, each checked. */
export function readRules(file: string): unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new VfioUserError('INVALID_OPTION', `fault file ${JSON.stringify(file)}: ${(cause as Error).message}`);
  }
  if (!Array.isArray(value))
    throw new VfioUserError('INVALID_OPTION', `fault file ${JSON.stringify(file)}: no list of rules`);
  for (const rule of value) parseRule(rule);
  return value;
}
