import { type GlobalOptions, type Io, openCache } from '../context.ts';
import { type Format, print } from '../output.ts';

/** `cdi vendors`: names of vendors, with -v how many spec files each has. */
export async function vendors(options: GlobalOptions & { output: Format; verbose?: boolean }, io: Io): Promise<void> {
  const cache = await openCache(options, io);
  const names = cache.listVendors();
  const counted = names.map((vendor) => ({ vendor, specs: cache.vendorSpecs(vendor).length }));
  print(io, options.output, options.verbose ? counted : names, () =>
    options.verbose
      ? [['VENDOR', 'SPECS'], ...counted.map(({ vendor, specs }) => [vendor, String(specs)])]
      : names.map((name) => [name]),
  );
}
