/**
 * Records what the Go reference does with random cases: `tsx tools/reference/record.ts [CASES]`, after record.sh has built
 * the oracle. Cases that the reference cannot be asked (it panics) are left out; so are most that resolve nothing.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { anyCase, type Case } from './cases.ts';

const oracle = process.env['CDI_ORACLE'];
if (!oracle) throw new Error('CDI_ORACLE must name the oracle that record.sh builds');
const count = Number(process.argv[2] ?? 200);
const out = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../test-support/reference-cases.jsonl');

const folder = mkdtempSync(path.join(tmpdir(), 'cdi-reference-'));
const cases = fc.sample(anyCase, { numRuns: count * 40, seed: 20 });
const folders = cases.map((each, index) => write(each, path.join(folder, String(index))));
const answers = execFileSync(oracle, folders, { encoding: 'utf8', maxBuffer: 1 << 28 })
  .trim()
  .split('\n');
rmSync(folder, { recursive: true });

const recorded = cases.map((each, index) => ({ ...each, reference: JSON.parse(answers[index] ?? '') }));
const usable = recorded.filter(({ reference }) => !reference.panicked);
const telling = usable.filter(({ reference, names }) => reference.spec && names.length > 0);
const others = usable.filter(({ reference, names }) => !reference.spec || names.length === 0);
const chosen = [...telling.slice(0, Math.ceil(count * 0.6)), ...others.slice(0, Math.floor(count * 0.4))];
writeFileSync(out, chosen.map((each) => `${JSON.stringify(each)}\n`).join(''));
console.log(`recorded ${chosen.length} cases`);

function write(each: Case, where: string): string {
  for (const name of ['low', 'high']) mkdirSync(path.join(where, name), { recursive: true });
  for (const [name, text] of Object.entries(each.files)) writeFileSync(path.join(where, name), text);
  writeFileSync(path.join(where, 'oci.json'), JSON.stringify(each.oci));
  writeFileSync(path.join(where, 'names.json'), JSON.stringify(each.names));
  return where;
}
