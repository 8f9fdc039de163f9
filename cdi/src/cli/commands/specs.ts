import { type GlobalOptions, type Io, openCache } from '../context.ts';
import { type Format, print } from '../output.ts';

/** `cdi specs [vendor…]`: loaded spec files, with -v their content. */
export async function specs(
  asked: string[],
  options: GlobalOptions & { output: Format; verbose?: boolean },
  io: Io,
): Promise<void> {
  const cache = await openCache(options, io);
  const found = cache.specs().filter((file) => asked.length === 0 || asked.includes(file.vendor));
  const data = found.map(({ file, priority, vendor, class: kindClass, spec }) => ({
    file,
    priority,
    vendor,
    class: kindClass,
    kind: spec.kind,
    cdiVersion: spec.cdiVersion,
    devices: spec.devices.map((device) => device.name),
    ...(options.verbose && { spec }),
  }));
  print(io, options.output, data, () => [
    ['FILE', 'KIND', 'VERSION', 'PRIORITY', 'DEVICES'],
    ...data.map((row) => [
      row.file,
      row.kind,
      row.cdiVersion,
      String(row.priority),
      options.verbose ? row.devices.join(' ') : String(row.devices.length),
    ]),
  ]);
}
