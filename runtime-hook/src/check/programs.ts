import { findProgram } from '../vm/transport/find-program.ts';
import type { Finding } from './finding.ts';

const needed = ['setpriv', 'node', 'sh'];

export async function checkPrograms(): Promise<Finding> {
  const missing = needed.filter((name) => findProgram(name) === undefined);
  if (missing.length === 0) return { name: 'programs', result: 'ok', detail: needed.join(', ') };
  return {
    name: 'programs',
    result: 'missing',
    detail: `not on PATH: ${missing.join(', ')}`,
    mend: 'setpriv is in the package util-linux, node in nodejs',
  };
}
