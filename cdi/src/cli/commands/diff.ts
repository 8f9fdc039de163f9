import { statSync } from 'node:fs';
import { stringifyJson } from '@kata-mock/oci-spec';
import { Cache } from '../../cache/cache.ts';
import { type Difference, diff as difference } from '../../diff.ts';
import { CdiError } from '../../errors.ts';
import { parseCdiSpec } from '../../load/text.ts';
import {
  type GlobalOptions,
  type Io,
  openCache,
  readInput,
  readOciSpec,
  readOptions,
  Trouble,
  UsageError,
} from '../context.ts';
import { expandNames } from '../glob.ts';
import { type Format, print } from '../output.ts';

/**
 * `cdi diff OLD NEW`: two spec files or directories, device by device. `cdi diff OCI name…`: what injecting changes.
 * @returns whether there is no difference
 */
export async function diff(
  first: string,
  rest: string[],
  options: GlobalOptions & { output: Format },
  io: Io,
): Promise<boolean> {
  const isInjection = rest.some((name) => name.includes('='));
  try {
    const found = await (isInjection ? injected : compared)(first, rest, options, io);
    print(io, options.output, found, () => found.flatMap(lines));
    return found.length === 0;
  } catch (cause) {
    if (cause instanceof CdiError) throw new Trouble(cause.message, { cause });
    throw cause;
  }
}

async function injected(file: string, asked: string[], options: GlobalOptions, io: Io): Promise<Difference[]> {
  const cache = await openCache(options, io);
  const spec = readOciSpec(file, io);
  const { names } = expandNames(asked, cache.listDevices(), options.compat);
  return difference(spec, cache.injectDevices(spec, names).spec);
}

async function compared(before: string, rest: string[], options: GlobalOptions, io: Io): Promise<Difference[]> {
  const [after] = rest;
  if (after === undefined || rest.length > 1)
    throw new UsageError('diff takes two spec files or directories, or an OCI spec and device names');
  return difference(await content(before, options, io), await content(after, options, io));
}

/** A spec, or the devices of a directory by qualified name. */
async function content(place: string, options: GlobalOptions, io: Io): Promise<unknown> {
  const read = await readOptions(options);
  if (place === '-' || !statSync(place, { throwIfNoEntry: false })?.isDirectory()) {
    try {
      return parseCdiSpec(readInput(place, io), 'json', read);
    } catch (error) {
      if (!(error instanceof CdiError) || error.file !== undefined) throw error;
      throw new CdiError(error.code, `${place}: ${error.message}`, { file: place, cause: error });
    }
  }
  const cache = new Cache({ ...read, specDirs: [place], autoRefresh: false });
  for (const error of [...cache.errors().values()].flat()) io.err(`cdi: warning: ${error.message}\n`);
  return Object.fromEntries(
    cache.listDevices().map((name) => {
      const device = cache.getDevice(name);
      return [name, { spec: device?.from.spec.containerEdits, device: device?.spec.containerEdits }];
    }),
  );
}

function lines({ path, before, after }: Difference): string[][] {
  return [
    ...(before === undefined ? [] : [[`- ${path}: ${stringifyJson(before)}`]]),
    ...(after === undefined ? [] : [[`+ ${path}: ${stringifyJson(after)}`]]),
  ];
}
