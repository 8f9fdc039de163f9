import { type GlobalOptions, type Io, openCache, readOciSpec } from '../context.ts';
import { expandNames } from '../glob.ts';
import { type Format, print } from '../output.ts';

/** `cdi inject FILE|- name…`: the OCI spec with the devices in it, in the format of the input unless told. */
export async function inject(
  file: string,
  asked: string[],
  options: GlobalOptions & { output?: Format },
  io: Io,
): Promise<void> {
  const cache = await openCache(options, io);
  const spec = readOciSpec(file, io);
  const { names, unmatched } = expandNames(asked, cache.listDevices(), options.compat);
  for (const pattern of unmatched) {
    const hint = pattern.includes('/') ? '' : '; "*" and "?" stop at "/", so a pattern is like "*/*=*"';
    io.err(`cdi: warning: no device matches ${JSON.stringify(pattern)}${hint}\n`);
  }
  const format = options.output ?? (/\.ya?ml$/.test(file) ? 'yaml' : 'json');
  if (names.length === 0) return print(io, format, spec, () => []);
  const injection = cache.injectDevices(spec, names);
  print(io, format, injection.spec, () => []);
}
