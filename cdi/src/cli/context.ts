import { readFileSync, statSync } from 'node:fs';
import { parseSpec, type Spec, SpecError } from '@kata-mock/oci-spec';
import { Cache } from '../cache/cache.ts';
import { CdiError } from '../errors.ts';
import { parseYaml } from '../load/yaml.ts';
import { loadSchema } from '../schema/schema.ts';
import type { CdiSpec } from '../types.ts';

/** Options that every command takes. */
export interface GlobalOptions {
  specDirs?: string[];
  schema: string;
  compat?: 'go';
  proposals?: boolean;
}

/** Where a command reads and writes: the process's streams, or a test's. */
export interface Io {
  stdin(): Uint8Array;
  out(text: string): void;
  err(text: string): void;
}

/** A command was called in a way that makes no sense: exit status 2. */
export class UsageError extends Error {}

/** A comparison could not be made, where exit status 1 means that there is a difference. */
export class Trouble extends Error {}

const MAX_INPUT = 64 * 1024 * 1024;

/** A cache of the directories asked for. What is wrong with files is told on stderr; the commands work with the rest. */
export async function openCache(
  options: GlobalOptions,
  io: Io,
  mode: { watch?: boolean; quiet?: boolean } = {},
): Promise<Cache> {
  const cache = new Cache({
    ...(await readOptions(options)),
    autoRefresh: mode.watch ?? false,
    ...(options.specDirs && { specDirs: options.specDirs }),
  });
  if (!mode.quiet) for (const error of distinctErrors(cache)) io.err(`cdi: warning: ${error.message}\n`);
  if (options.specDirs) {
    const missing = cache.specDirStates().filter(({ exists, error }) => !exists && !error);
    for (const { directory } of missing) io.err(`cdi: warning: spec directory ${directory} does not exist\n`);
  }
  return cache;
}

/** How specs are to be read, with the schema asked for. */
export async function readOptions(
  options: GlobalOptions,
): Promise<{ compat?: 'go'; proposals?: boolean; check?: (spec: CdiSpec) => void }> {
  const check = await loadSchema(options.schema);
  return {
    ...(options.compat && { compat: options.compat }),
    ...(options.proposals && { proposals: true }),
    ...(check && { check }),
  };
}

/** Every error of a cache once, though a conflict is known to several files. */
export function distinctErrors(cache: Cache): CdiError[] {
  return [...new Set([...cache.errors().values()].flat())];
}

/** The bytes of a file, or of stdin for `-`. */
export function readInput(file: string, io: Io): Uint8Array {
  if (file === '-') return io.stdin();
  try {
    const { size } = statSync(file);
    if (size > MAX_INPUT) throw new CdiError('LIMIT', `${file}: ${size} bytes, ${MAX_INPUT} at most`);
    return readFileSync(file);
  } catch (cause) {
    if (cause instanceof CdiError) throw cause;
    throw new CdiError('IO', `cannot read ${file}: ${(cause as NodeJS.ErrnoException).code}`, { file, cause });
  }
}

/** An OCI spec from JSON or YAML. */
export function readOciSpec(file: string, io: Io): Spec {
  const bytes = readInput(file, io);
  const name = file === '-' ? 'stdin' : file;
  try {
    return parseSpec(bytes);
  } catch (error) {
    if (!(error instanceof SpecError)) throw error;
    const value = error.code === 'SYNTAX' ? yamlObject(bytes) : undefined;
    if (value) return value as unknown as Spec;
    throw new CdiError('INVALID', `${name} is not an OCI spec: ${error.message}`, { cause: error });
  }
}

function yamlObject(bytes: Uint8Array): object | undefined {
  try {
    const value = parseYaml(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
