import { type GlobalOptions, type Io, openCache } from '../context.ts';
import { type Format, print } from '../output.ts';

/** `cdi dirs`: spec directories, lowest priority first. */
export async function dirs(options: GlobalOptions & { output: Format }, io: Io): Promise<void> {
  const cache = await openCache(options, io, { quiet: true });
  const data = cache.specDirStates().map(({ directory, priority, exists, error }) => ({
    directory,
    priority,
    exists,
    ...(error && { error: error.message }),
  }));
  print(io, options.output, data, () => [
    ['DIRECTORY', 'PRIORITY', 'STATE'],
    ...data.map((row) => [row.directory, String(row.priority), row.error ?? (row.exists ? 'present' : 'missing')]),
  ]);
}
