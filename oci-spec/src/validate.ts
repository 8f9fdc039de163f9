import { quote, SpecError } from './errors.ts';
import { validate } from './gen/validate-spec.ts';
import { formatPath, type Path } from './json/path.ts';
import type { Spec } from './types/index.ts';

/** The part of an ajv error that messages are made of. */
interface SchemaError {
  instancePath: string;
  keyword: string;
  params: Record<string, unknown>;
  message?: string;
}

/** The generated validator: a type guard that leaves its errors on itself. */
const check = validate as unknown as { (value: unknown): boolean; errors?: SchemaError[] | null };

/**
 * Checks a value against the JSON schema of the specification. Unknown members pass: they are kept, not judged.
 * @throws {SpecError} INVALID, with the JSON path of the first fault and the reason
 */
export function validateSpec(value: unknown): asserts value is Spec {
  if (check(value)) return;
  const error = check.errors?.[0];
  if (!error) throw new SpecError('INVALID', '$', 'not an OCI spec');
  const path = pathOf(error.instancePath, value);
  throw new SpecError('INVALID', formatPath(path.steps), reason(error, path.value));
}

function reason(error: SchemaError, found: unknown): string {
  switch (error.keyword) {
    case 'required':
      return `${quote(error.params['missingProperty'])} is missing`;
    case 'type':
      return `must be ${article(String(error.params['type']))}, found ${quote(found)}`;
    case 'enum':
      return `must be one of ${(error.params['allowedValues'] as unknown[]).map(quote).join(', ')}, found ${quote(found)}`;
    default:
      return `${error.message ?? error.keyword}, found ${quote(found)}`;
  }
}

function article(type: string): string {
  return `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`;
}

/** ajv's JSON pointer as steps, array indexes as numbers, with the value there. */
function pathOf(pointer: string, root: unknown): { steps: Path; value: unknown } {
  let value = root;
  const steps: (string | number)[] = [];
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    steps.push(Array.isArray(value) ? Number(name) : name);
    value = (value as Record<string, unknown>)[name];
  }
  return { steps, value };
}
