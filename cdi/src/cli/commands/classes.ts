import { type GlobalOptions, type Io, openCache } from '../context.ts';
import { type Format, print } from '../output.ts';

/** `cdi classes`: names of device classes, with -v their vendors. */
export async function classes(options: GlobalOptions & { output: Format; verbose?: boolean }, io: Io): Promise<void> {
  const cache = await openCache(options, io);
  const names = cache.listClasses();
  const specs = cache.specs();
  const detailed = names.map((name) => ({
    class: name,
    vendors: [...new Set(specs.filter((file) => file.class === name).map((file) => file.vendor))].sort(),
  }));
  print(io, options.output, options.verbose ? detailed : names, () =>
    options.verbose
      ? [['CLASS', 'VENDORS'], ...detailed.map((row) => [row.class, row.vendors.join(' ')])]
      : names.map((name) => [name]),
  );
}
