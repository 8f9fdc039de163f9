/**
 * Measures the server against the floor, a bare C loop, in interleaved rounds: `npm run bench -w vfio-user`.
 * Options: --rounds N (5), --reads N (40000), --writes N (200000), --json FILE. Ratios of one run are what counts: the
 * machine's other work hits both alike.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { controlCall } from '../src/control/client.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    reads: { type: 'string', default: '40000' },
    writes: { type: 'string', default: '200000' },
    json: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const here = path.dirname(fileURLToPath(import.meta.url));
const work = mkdtempSync(path.join(os.tmpdir(), 'vfu-bench-'));
const LIMIT_MS = 120_000;

interface ReadResult {
  p50: number;
  p99: number;
  perSecond: number;
}

async function prepare(): Promise<void> {
  for (const name of ['client', 'floor'])
    execFileSync('cc', ['-O2', '-Wall', '-o', path.join(work, name), path.join(here, `${name}.c`)]);
  await build({
    entryPoints: [
      { in: path.join(here, 'host.ts'), out: 'host' },
      { in: path.join(here, '../src/host/function.worker.ts'), out: 'function.worker' },
    ],
    outdir: path.join(here, '../dist/bench'),
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    conditions: ['@kata-mock/source'],
    external: ['koffi'],
    logLevel: 'warning',
    banner: { js: "import { createRequire as c } from 'node:module'; const require = c(import.meta.url);" },
  });
}

const pinned = (pin: boolean) => (pin ? ['taskset', '-c', '0'] : []);

function start(pin: boolean, ...argv: string[]): ChildProcess {
  const [program, ...rest] = [...pinned(pin), ...argv];
  return spawn(program!, rest, { stdio: ['ignore', 'inherit', 'inherit'] });
}

function client(pin: boolean, socket: string, mode: string, count: string): ReadResult {
  const [program, ...rest] = [...pinned(pin), path.join(work, 'client'), socket, mode, count];
  return JSON.parse(execFileSync(program!, rest, { encoding: 'utf8', timeout: LIMIT_MS })) as ReadResult;
}

/** Waits until something listens; a socket file alone is not enough. Returns the ms it took. */
async function listening(socket: string): Promise<number> {
  const begin = performance.now();
  for (;;) {
    const connected = await new Promise<boolean>((resolve) => {
      const probe = net.connect(socket, () => {
        probe.destroy();
        resolve(true);
      });
      probe.on('error', () => resolve(false));
    });
    if (connected) return performance.now() - begin;
    if (performance.now() - begin > 10_000) throw new Error(`nothing listens on ${socket}`);
  }
}

const median = (list: number[]) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!;
const kilobytes = (pid: number) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);

async function stop(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

async function host(
  pin: boolean,
  count: number,
): Promise<{ child: ChildProcess; directory: string; listenMs: number }> {
  const directory = mkdtempSync(path.join(work, 'h'));
  const begin = performance.now();
  const child = start(pin, process.execPath, path.join(here, '../dist/bench/host.js'), directory, String(count));
  await listening(path.join(directory, `d${count - 1}.sock`));
  return { child, directory, listenMs: performance.now() - begin };
}

/** Reads and writes of both servers, medians over the rounds, and the ratios of each round's pair. */
async function accesses(pin: boolean) {
  const floor = start(pin, path.join(work, 'floor'), path.join(work, `floor${pin}.sock`));
  const ours = await host(pin, 1);
  const floorSocket = path.join(work, `floor${pin}.sock`);
  const oursSocket = path.join(ours.directory, 'd0.sock');
  await listening(floorSocket);
  const results: { floor: ReadResult; ours: ReadResult; posted: number; floorPosted: number; multi: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    results.push({
      floor: client(pin, floorSocket, 'read', values.reads),
      ours: client(pin, oursSocket, 'read', values.reads),
      floorPosted: client(pin, floorSocket, 'write', values.writes).perSecond,
      posted: client(pin, oursSocket, 'write', values.writes).perSecond,
      multi: client(pin, oursSocket, 'multi', values.writes).perSecond,
    });
  }
  await controlCall(path.join(ours.directory, 'control.sock'), 'trace-start', {
    id: 'd0',
    file: path.join(work, `t${pin}.pcapng`),
  });
  const traced = Array.from({ length: rounds }, () => [
    client(pin, floorSocket, 'read', values.reads).p50,
    client(pin, oursSocket, 'read', values.reads).p50,
  ]);
  await stop(ours.child);
  await stop(floor);
  const ratio = (of: (result: (typeof results)[number]) => number) => Number(median(results.map(of)).toFixed(2));
  const oursRatio = ratio(({ floor: f, ours: o }) => o.p50 / f.p50);
  return {
    floor: { p50Ns: median(results.map((r) => r.floor.p50)), p99Ns: median(results.map((r) => r.floor.p99)) },
    ours: { p50Ns: median(results.map((r) => r.ours.p50)), p99Ns: median(results.map((r) => r.ours.p99)) },
    p50Ratio: oursRatio,
    p99Ratio: ratio(({ floor: f, ours: o }) => o.p99 / f.p99),
    readsRatio: ratio(({ floor: f, ours: o }) => o.perSecond / f.perSecond),
    readsPerSecond: median(results.map((r) => r.ours.perSecond)),
    postedPerSecond: median(results.map((r) => r.posted)),
    floorPostedPerSecond: median(results.map((r) => r.floorPosted)),
    multiPerSecond: median(results.map((r) => r.multi)),
    tracedP50Ratio: Number((median(traced.map(([f, o]) => o! / f!)) / oursRatio).toFixed(2)),
  };
}

/** Memory, start-up and the answer time of an idle function. */
async function footprint() {
  const starts: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const one = await host(false, 1);
    starts.push(one.listenMs);
    await stop(one.child);
  }
  const one = await host(false, 1);
  client(false, path.join(one.directory, 'd0.sock'), 'read', '2000');
  const first = kilobytes(one.child.pid!);
  const idle: number[] = [];
  for (let round = 0; round < 20; round++) {
    const begin = performance.now();
    await controlCall(path.join(one.directory, 'control.sock'), 'registers', { id: 'd0' });
    idle.push(performance.now() - begin);
  }
  const alone = Array.from({ length: rounds }, () =>
    client(true, path.join(one.directory, 'd0.sock'), 'read', values.reads),
  );
  await stop(one.child);
  const many = await host(false, 64);
  for (let index = 0; index < 64; index++) client(false, path.join(many.directory, `d${index}.sock`), 'read', '100');
  const all = kilobytes(many.child.pid!);
  const together = Array.from({ length: rounds }, () =>
    client(true, path.join(many.directory, 'd63.sock'), 'read', values.reads),
  );
  await stop(many.child);
  return {
    listenMs: Number(median(starts).toFixed(1)),
    firstFunctionMB: Number((first / 1024).toFixed(1)),
    furtherFunctionMB: Number(((all - first) / 63 / 1024).toFixed(1)),
    idleControlMs: { median: Number(median(idle).toFixed(1)), worst: Number(Math.max(...idle).toFixed(1)) },
    readsOf64Ratio: Number(
      (median(together.map((r) => r.perSecond)) / median(alone.map((r) => r.perSecond))).toFixed(2),
    ),
  };
}

try {
  await prepare();
  const result = {
    machine: { cpus: os.cpus().length, model: os.cpus()[0]?.model, node: process.version, load: os.loadavg()[0] },
    pinned: await accesses(true),
    unpinned: await accesses(false),
    process: await footprint(),
  };
  if (values.json) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
  const row = (name: string, target: string, a: unknown, b: unknown = '') =>
    console.log(`| ${name.padEnd(44)} | ${target.padEnd(9)} | ${String(a).padStart(10)} | ${String(b).padStart(10)} |`);
  const { pinned: p, unpinned: u, process: f } = result;
  row('', 'target', 'pinned', 'unpinned');
  row('---', '---', '---', '---');
  row('read p50, floor, us', '', p.floor.p50Ns / 1000, u.floor.p50Ns / 1000);
  row('read p50, ours, us', '', p.ours.p50Ns / 1000, u.ours.p50Ns / 1000);
  row('read p50, times the floor', '<= 1.2', p.p50Ratio, u.p50Ratio);
  row('read p99, times the floor', '<= 2.5', p.p99Ratio, u.p99Ratio);
  row('reads/s, of the floor', '>= 0.80', p.readsRatio, u.readsRatio);
  row('reads/s', '', p.readsPerSecond, u.readsPerSecond);
  row('posted writes/s', '>= 400000', p.postedPerSecond, u.postedPerSecond);
  row('writes/s by WRITE_MULTI', '> posted', p.multiPerSecond, u.multiPerSecond);
  row('read p50 with a trace, times without', '<= 1.10', p.tracedP50Ratio, u.tracedP50Ratio);
  row('listening after exec, ms', '<= 80', '', f.listenMs);
  row('memory, first function, MB', '<= 60', '', f.firstFunctionMB);
  row('memory, each further one of 64, MB', '<= 8', '', f.furtherFunctionMB);
  row('control on an idle connection, worst ms', '<= 50', '', f.idleControlMs.worst);
  row('reads/s with 63 others connected, of alone', '>= 0.90', f.readsOf64Ratio);
} finally {
  rmSync(work, { recursive: true, force: true });
}
