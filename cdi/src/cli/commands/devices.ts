import { type GlobalOptions, type Io, openCache } from '../context.ts';
import { type Format, print } from '../output.ts';

/** `cdi devices`: qualified names, with -v where they come from and what they do. */
export async function devices(options: GlobalOptions & { output: Format; verbose?: boolean }, io: Io): Promise<void> {
  const cache = await openCache(options, io);
  const names = cache.listDevices();
  const detailed = () =>
    names.flatMap((name) => {
      const device = cache.getDevice(name);
      if (!device) return [];
      const { annotations, containerEdits } = device.spec;
      return [
        {
          name,
          file: device.from.file,
          priority: device.from.priority,
          ...(annotations && { annotations }),
          containerEdits,
        },
      ];
    });
  print(io, options.output, options.verbose ? detailed() : names, () => {
    if (!options.verbose) return names.map((name) => [name]);
    const rows = detailed().map(({ name, file, containerEdits }) => [
      name,
      Object.keys(containerEdits).join(' '),
      file,
    ]);
    return [['DEVICE', 'EDITS', 'FILE'], ...rows];
  });
}
