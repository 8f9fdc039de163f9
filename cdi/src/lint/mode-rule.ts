import { eachEdits } from './each-edits.ts';
import type { Rule } from './finding.ts';

/** Modes that were meant to be octal, and modes that nobody can want. */
export const fileModes: Rule = function* ({ spec, format }) {
  for (const { edits, path } of eachEdits(spec)) {
    for (const [index, { fileMode }] of (edits.deviceNodes ?? []).entries()) {
      if (fileMode === undefined) continue;
      const place = `${path}.deviceNodes[${index}].fileMode`;
      const octal = fileMode.toString(8).padStart(4, '0');
      if (/^[0-7]{3}$/.test(String(fileMode)) && fileMode > 0o777) {
        const meant = Number.parseInt(String(fileMode), 8);
        const written = format === 'yaml' ? `0${fileMode}, or ${meant}` : String(meant);
        yield {
          severity: 'warning',
          path: place,
          message: `file mode ${fileMode} is decimal and means 0${octal.replace(/^0+/, '')}`,
          fix: `for 0${fileMode} write ${written}`,
        };
      } else if (fileMode > 0o7777) {
        yield {
          severity: 'warning',
          path: place,
          message: `file mode ${fileMode} has bits beyond 07777`,
          fix: 'give permission bits only',
        };
      } else if (fileMode === 0) {
        yield {
          severity: 'warning',
          path: place,
          message: 'file mode 0 lets nobody but root open the node',
          fix: 'leave fileMode out to take the mode of the node on the host',
        };
      }
    }
  }
};
