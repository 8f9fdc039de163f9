/**
 * `npm run bench`: ttrpc against a bare length-prefixed echo, client and server pinned to a core each, in one run.
 * Prints a table and writes the same as JSON (`--json FILE`, `-` for standard output); exits 1 when a target is missed.
 * Measures bundles, as programs ship the package, not sources that a loader has instrumented.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';

interface Figure {
  name: string;
  [key: string]: unknown;
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'ttrpc-bench-'));
const jsonFile = process.argv.includes('--json') ? process.argv[process.argv.indexOf('--json') + 1] : undefined;
const cores = os.cpus().length;
const canPin = cores > 1 && spawnSync('taskset', ['--version']).status === 0;
if (!canPin) console.error('ttrpc bench: not pinned: that takes two cores and taskset (Debian package util-linux)');

try {
  await build({
    entryPoints: ['server', 'client'].map((name) => path.join(import.meta.dirname, `${name}.ts`)),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['@kata-mock/source'],
    external: ['koffi'],
    logLevel: 'warning',
  });
  const server = start('server.mjs', 0);
  await once(server, 'message');
  const figures = new Map<string, Figure>();
  const client = start('client.mjs', 1);
  client.on('message', async (message: Figure | 'memory') => {
    if (message !== 'memory') {
      figures.set(message.name, message);
      return;
    }
    server.send('memory');
    client.send((await once(server, 'message'))[0]);
  });
  const [code] = await once(client, 'exit');
  server.disconnect();
  if (code !== 0) throw new Error(`the client ended with ${code}`);
  process.exitCode = report(figures) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function start(file: string, core: number): ChildProcess {
  const argv = [process.execPath, '--expose-gc', path.join(folder, file), folder];
  const [command, ...args] = canPin ? ['taskset', '-c', String(core), ...argv] : argv;
  return spawn(command!, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

interface Row {
  what: string;
  floor?: number;
  ttrpc: number;
  unit: string;
  ratio?: number;
  target: string;
  met: boolean | undefined;
}

function report(figures: Map<string, Figure>): boolean {
  const rows: Row[] = [
    compared('unary round trip of 32 B, p50', 'µs', 'roundTrip', '2 or less', (ratio) => ratio <= 2),
    compared('1,000 calls in flight', 'calls/s', 'inFlight', '0.35 or more', (ratio) => ratio >= 0.35),
    compared('the same, floor with batched writes', 'calls/s', 'inFlightBatched', '', () => undefined),
    compared('messages of 1 MiB', 'MiB/s', 'large', '0.5 or more', (ratio) => ratio >= 0.5),
    memory('memory of an open stream, client', 'client'),
    memory('memory of an open stream, server', 'server'),
  ];
  console.table(rows);
  if (jsonFile !== undefined) {
    const text = `${JSON.stringify({ pinned: canPin, node: process.version, rows }, null, 2)}\n`;
    if (jsonFile === '-') process.stdout.write(text);
    else writeFileSync(jsonFile, text);
  }
  return rows.every(({ met }) => met !== false);

  function compared(
    what: string,
    unit: string,
    name: string,
    target: string,
    meets: (ratio: number) => boolean | undefined,
  ) {
    const { floor, ttrpc } = figures.get(name) as unknown as { floor: number; ttrpc: number };
    const ratio = ttrpc / floor;
    return { what, floor: round(floor), ttrpc: round(ttrpc), unit, ratio: round(ratio), target, met: meets(ratio) };
  }

  function memory(what: string, side: 'client' | 'server'): Row {
    const bytes = (figures.get('streams') as unknown as Record<typeof side, number>)[side];
    return { what, ttrpc: round(bytes), unit: 'B', target: '10,000 or less', met: bytes <= 10_000 };
  }
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
