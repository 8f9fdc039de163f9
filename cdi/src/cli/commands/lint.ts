import { lintDirectories, lintFile } from '../../lint/lint.ts';
import type { GlobalOptions, Io } from '../context.ts';
import { type Format, print } from '../output.ts';

/**
 * `cdi lint [file…]`: faults, and what is allowed but likely not meant, each with what to do.
 * @returns whether nothing above a note was found
 */
export async function lint(files: string[], options: GlobalOptions & { output: Format }, io: Io): Promise<boolean> {
  const context = { ...(options.compat && { compat: options.compat }), ...(options.proposals && { proposals: true }) };
  const findings =
    files.length > 0 ? files.flatMap((file) => lintFile(file, context)) : lintDirectories(options.specDirs, context);
  print(io, options.output, findings, () =>
    findings.map(({ severity, file, path, rule, message, fix }) => [
      `${file}${path ? ` ${path}` : ''}: ${severity}: ${message} [${rule}]${fix ? `\n    ${fix}` : ''}`,
    ]),
  );
  return findings.every(({ severity }) => severity === 'note');
}
