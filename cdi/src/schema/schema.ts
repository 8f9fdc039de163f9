import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { stringifyJson } from '@kata-mock/oci-spec';
import { CdiError, quote } from '../errors.ts';
import { validate as builtin } from '../gen/validate-cdi.ts';
import { formatSteps } from '../load/decode.ts';
import type { CdiSpec } from '../types.ts';

/** Checks a spec; throws {@link CdiError} INVALID. */
export type SchemaCheck = (spec: CdiSpec) => void;

interface SchemaError {
  instancePath: string;
  message?: string;
}

type Validator = { (value: unknown): unknown; errors?: SchemaError[] | null };

const MAX_SCHEMA_BYTES = 4 * 1024 * 1024;
const HTTP_TIMEOUT_MS = 15_000;

/**
 * A check by JSON schema.
 * @param source `builtin`, `none` or empty for no check, a path, or a `file:`, `http:` or `https:` address
 * @throws {CdiError} IO or SYNTAX when the schema cannot be had
 */
export async function loadSchema(source: string): Promise<SchemaCheck | undefined> {
  if (source === 'none' || source === '') return undefined;
  if (source === 'builtin') return checkBy(builtin as unknown as Validator, (spec) => spec);
  // Other people's schemas know no bigints.
  return checkBy(await compile(source), (spec) => JSON.parse(stringifyJson(spec)));
}

/** Checks any value by the built-in schema, which is generated from the types. */
export const validateCdiSchema: SchemaCheck = checkBy(builtin as unknown as Validator, (spec) => spec);

function checkBy(validator: Validator, prepare: (spec: CdiSpec) => unknown): SchemaCheck {
  return (spec) => {
    if (validator(prepare(spec))) return;
    const error = validator.errors?.[0];
    const steps = (error?.instancePath ?? '').split('/').slice(1);
    const place = formatSteps(steps.map((step) => (/^\d+$/.test(step) ? Number(step) : step)));
    throw new CdiError('INVALID', `schema: ${error?.message ?? 'does not match'}`, { path: place });
  };
}

async function compile(source: string): Promise<Validator> {
  const { Ajv } = await import('ajv');
  const address = /^(https?|file):/.test(source) ? source : pathToFileURL(path.resolve(source)).href;
  const ajv = new Ajv({ strict: false, loadSchema: (reference) => fetchSchema(reference, address) });
  try {
    const schema = await fetchSchema(address, address);
    return (await ajv.compileAsync({ ...schema, $id: address })) as Validator;
  } catch (cause) {
    if (cause instanceof CdiError) throw cause;
    throw new CdiError('SYNTAX', `schema ${source}: ${(cause as Error).message}`, { file: source, cause });
  }
}

/** A schema and what it refers to must come the same way: one from the net must not have local files read. */
async function fetchSchema(address: string, root: string): Promise<Record<string, unknown>> {
  const url = new URL(address.replace(/#.*$/, ''));
  if (url.protocol !== new URL(root).protocol)
    throw new CdiError('IO', `schema ${root} refers to ${address}, which is not allowed`);
  try {
    const text = url.protocol === 'file:' ? await readFile(fileURLToPath(url), 'utf8') : await download(url);
    if (text.length > MAX_SCHEMA_BYTES) throw new CdiError('LIMIT', `more than ${MAX_SCHEMA_BYTES} bytes`);
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null)
      throw new CdiError('SYNTAX', `a schema is an object, found ${quote(value)}`);
    return value as Record<string, unknown>;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new CdiError(
      'IO',
      `cannot load schema ${address}: ${cause instanceof CdiError ? message : (code ?? message)}`,
      { file: address, cause },
    );
  }
}

async function download(url: URL): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(HTTP_TIMEOUT_MS) });
  if (!response.ok) throw new CdiError('IO', `HTTP status ${response.status}`);
  return response.text();
}
