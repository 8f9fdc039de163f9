import { CdiError } from '../../errors.ts';
import { formatOf, readCdiSpec } from '../../load/file.ts';
import { parseCdiSpec } from '../../load/text.ts';
import { distinctErrors, type GlobalOptions, type Io, openCache, readInput, readOptions } from '../context.ts';
import { type Format, print } from '../output.ts';

/**
 * `cdi validate [file…|-]`: checks the files, or without any all spec directories with the conflicts between them.
 * @returns whether all is well; a missing directory is
 */
export async function validate(files: string[], options: GlobalOptions & { output: Format }, io: Io): Promise<boolean> {
  const errors =
    files.length === 0
      ? distinctErrors(await openCache(options, io, { quiet: true }))
      : await fileErrors(files, options, io);
  const data = {
    valid: errors.length === 0,
    errors: errors.map(({ code, file, path, devices, message }) => ({
      ...(file !== undefined && { file }),
      code,
      ...(path !== undefined && { path }),
      ...(devices.length > 0 && { devices }),
      message,
    })),
  };
  if (options.output === 'table') for (const error of errors) io.err(`cdi: ${error.message}\n`);
  if (options.output !== 'table' || data.valid) print(io, options.output, data, () => [['valid']]);
  return data.valid;
}

async function fileErrors(files: string[], options: GlobalOptions, io: Io): Promise<CdiError[]> {
  const read = await readOptions(options);
  return files.flatMap((file) => {
    try {
      if (file === '-') parseCdiSpec(readInput(file, io), 'json', read);
      else if (formatOf(file)) readCdiSpec(file, read);
      else parseCdiSpec(readInput(file, io), 'json', read);
      return [];
    } catch (error) {
      if (!(error instanceof CdiError)) throw error;
      if (error.file !== undefined) return [error];
      const place = error.path && error.path !== '$' ? ` at ${error.path}` : '';
      const name = file === '-' ? 'stdin' : file;
      return [
        new CdiError(error.code, `${name}${place}: ${error.message}`, {
          file: name,
          ...(error.path && { path: error.path }),
          cause: error,
        }),
      ];
    }
  });
}
