/**
 * `npm run bench -w agent-ext`: what device handling and the agent cost, on this machine and in an emulated guest, against
 * their targets. Options: --no-guest (without the part in a VM), --json FILE (`-` for standard output; the tables go to
 * standard error). The guest's part needs root and `make setup`, and says so when it is left out.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { measureOnHost } from './devices-runs.ts';
import { measureGuest } from './guest.ts';
import { measureHeap } from './heap.ts';
import { type Figures, reportLines } from './report.ts';
import { measureStart } from './start.ts';

const { values } = parseArgs({ options: { 'no-guest': { type: 'boolean' }, json: { type: 'string' } } });
const bundle = fileURLToPath(new URL('../../dist/agent/main.js', import.meta.url));

const figures: Figures = {
  devices: await measureOnHost(),
  heap: await measureHeap(100, 5),
  start: existsSync(bundle) ? await measureStart(bundle) : { skipped: 'no dist/agent: run "npm run build"' },
  guest: values['no-guest'] ? { skipped: '--no-guest' } : await measureGuest(),
};

const toStdout = values.json === '-';
for (const line of reportLines(figures)) (toStdout ? console.error : console.log)(line);
if (values.json !== undefined) {
  const text = `${JSON.stringify({ node: process.version, ...figures }, null, 2)}\n`;
  if (toStdout) process.stdout.write(text);
  else writeFileSync(values.json, text);
}
