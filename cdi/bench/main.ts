/**
 * What the cache costs, against the bare cost of reading and JSON-parsing the same files, measured in the same run.
 * Prints a table on stderr and JSON on stdout.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Cache } from '../src/index.ts';
import { DEVICES_PER_FILE, exampleSpec, FILES, fillDirectory } from './fixture.ts';
import { inTurn } from './measure.ts';
import { exampleOciSpec } from './oci.ts';

const ROUNDS = 15;
const DEVICES = FILES * DEVICES_PER_FILE;
const directory = fillDirectory();

function bare(): unknown[] {
  return readdirSync(directory).map((name) => JSON.parse(readFileSync(path.join(directory, name), 'utf8')));
}

function load(): Cache {
  return new Cache({ specDirs: [directory], autoRefresh: false });
}

/** Names spread over all files, others each time. */
function names(count: number, round: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    return `vendor${(round * 7 + index * 31) % FILES}.example.com/gpu=gpu${(index + round) % DEVICES_PER_FILE}`;
  });
}

function heapOf(make: () => unknown): number {
  global.gc?.();
  const before = process.memoryUsage().heapUsed;
  const held = make();
  global.gc?.();
  const used = process.memoryUsage().heapUsed - before;
  return held === undefined ? 0 : used;
}

let changes = 0;
function changeOne(): void {
  writeFileSync(
    path.join(directory, 'vendor5.json'),
    JSON.stringify({ ...exampleSpec(5), annotations: { round: `${changes++}` } }),
  );
}

inTurn(3, [bare, load]);
const [bareMs = NaN, loadMs = NaN] = inTurn(ROUNDS, [bare, load]);
const cache = load();
let round = 0;
const inject = (count: number) => () => cache.injectDevices(exampleOciSpec, names(count, round++)).spec;
inTurn(2000, [inject(1), inject(16)]);
const [oneMs = NaN, sixteenMs = NaN] = inTurn(5000, [inject(1), inject(16)]);
const [, refreshMs = NaN] = inTurn(ROUNDS, [changeOne, () => cache.refresh()]);

// Watching alone keeps no process alive.
const alive = setInterval(() => {}, 1000);
const watching = new Cache({ specDirs: [directory] });
const autoTimes: number[] = [];
for (let index = 0; index < ROUNDS; index++) {
  const seen = new Promise<void>((resolve) => {
    const stop = watching.onChange(() => {
      stop();
      resolve();
    });
  });
  const start = performance.now();
  changeOne();
  await seen;
  autoTimes.push(performance.now() - start);
}
watching.close();
clearInterval(alive);
const autoMs = autoTimes.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? NaN;
const bytes = heapOf(load);
rmSync(directory, { recursive: true });

const rows = [
  {
    what: `load and validate ${FILES} files of ${DEVICES_PER_FILE} devices`,
    value: loadMs / bareMs,
    unit: 'x bare',
    target: 3,
    grows: 'with the bytes of all files',
  },
  {
    what: `inject 1 of ${DEVICES} devices, median`,
    value: oneMs * 1000,
    unit: 'µs',
    target: 20,
    grows: 'with the size of the OCI spec; not with the cache',
  },
  {
    what: 'inject 16 devices, median',
    value: sixteenMs * 1000,
    unit: 'µs',
    target: 200,
    grows: 'with the number of edits',
  },
  {
    what: 'notice and load one changed file',
    value: autoMs / (bareMs / FILES),
    unit: 'x bare, one file',
    target: undefined,
    grows: 'with that file; not with the others',
  },
  {
    what: 'refresh() after one changed file',
    value: refreshMs / bareMs,
    unit: 'x bare, all files',
    target: undefined,
    grows: 'with the number of files, one stat each',
  },
  { what: 'memory a device', value: bytes / DEVICES, unit: 'bytes', target: 1500, grows: 'with the devices' },
];
const table = rows.map(({ what, value, unit, target, grows }) => {
  const verdict = target === undefined ? '' : value <= target ? `≤ ${target}` : `MISSED ${target}`;
  return `${what.padEnd(46)} ${value.toFixed(value < 10 ? 2 : 0).padStart(7)} ${unit.padEnd(18)} ${verdict.padEnd(12)} grows ${grows}`;
});
console.error(
  `bare: read and JSON.parse of all files ${bareMs.toFixed(1)} ms, load ${loadMs.toFixed(1)} ms\n${table.join('\n')}`,
);
console.log(JSON.stringify({ bench: 'cdi', bareMs, loadMs, refreshMs, autoMs, rows }));
