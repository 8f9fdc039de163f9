import { stringifyJson } from '@kata-mock/oci-spec';
import { toYaml } from '../write/format.ts';
import { type Io, UsageError } from './context.ts';

export type Format = 'json' | 'yaml' | 'table';

/** Reads `-o`; which formats there are depends on the command. */
export function formatOption(allowed: readonly Format[]): (value: string) => Format {
  return (value) => {
    if ((allowed as readonly string[]).includes(value)) return value as Format;
    throw new UsageError(`unknown output format ${JSON.stringify(value)}; known are ${allowed.join(', ')}`);
  };
}

/** Writes data as asked: JSON indented by two, YAML that a 1.1 reader takes for the same, or the rows of a table. */
export function print(io: Io, format: Format, value: unknown, rows: () => string[][]): void {
  if (format === 'json') io.out(`${stringifyJson(value, 2)}\n`);
  else if (format === 'yaml') io.out(toYaml(value));
  else io.out(table(rows()));
}

/** Columns as wide as their widest cell, without blanks at line ends. */
export function table(rows: string[][]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  }
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
