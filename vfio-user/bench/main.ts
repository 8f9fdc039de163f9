/**
 * Measures the server against the floor, a bare C loop, in interleaved rounds: `npm run bench -w vfio-user`.
 * Options: --rounds N (5), --reads N (40000), --writes N (200000), --no-guest (without the part in a VM), --json FILE.
 * Ratios of one run are what counts: the machine's other work hits both alike.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { controlCall } from '../src/control/client.ts';
import { type GuestResult, readsInGuest } from './guest.ts';
import { nodeFloor } from './node-floor.ts';
import { hostProgram, prepare } from './prepare.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    reads: { type: 'string', default: '40000' },
    writes: { type: 'string', default: '200000' },
    'no-guest': { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
// As the programs in bin/ do it: to read certificates would take Node longer than the rest of its start.
delete process.env['NODE_EXTRA_CA_CERTS'];
const rounds = Number(values.rounds);
const work = mkdtempSync(path.join(os.tmpdir(), 'vfu-bench-'));
const LIMIT_MS = 120_000;
/** Servers, which a run that fails must not leave behind. */
const running = new Set<ChildProcess>();

interface ReadResult {
  p50: number;
  p99: number;
  perSecond: number;
}

const pinned = (pin: boolean) => (pin ? ['taskset', '-c', '0'] : []);

function start(pin: boolean, ...argv: string[]): ChildProcess {
  const [program, ...rest] = [...pinned(pin), ...argv];
  const child = spawn(program!, rest, { stdio: ['ignore', 'inherit', 'inherit'] });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
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
    // A pause, or the probes would take the processor that the other needs.
    await delay(1);
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

interface RunningHost {
  child: ChildProcess;
  directory: string;
  listenMs: number;
}

async function host(pin: boolean, count: number, options: object = {}): Promise<RunningHost> {
  const directory = mkdtempSync(path.join(work, 'h'));
  const begin = performance.now();
  const child = start(pin, process.execPath, hostProgram, directory, String(count), JSON.stringify(options));
  await listening(path.join(directory, `d${count - 1}.sock`));
  return { child, directory, listenMs: performance.now() - begin };
}

/** What one round measured; rates are per second. */
interface Round {
  floor: ReadResult;
  ours: ReadResult;
  /** A second function of ours, which records every message. */
  traced: ReadResult;
  posted: number;
  floorPosted: number;
  multi: number;
}

/** Reads and writes of both servers, medians over the rounds, and the ratios of each round's pair. */
async function accesses(pin: boolean) {
  const floor = start(pin, path.join(work, 'floor'), path.join(work, `floor${pin}.sock`));
  const ours = await host(pin, 2);
  const floorSocket = path.join(work, `floor${pin}.sock`);
  const oursSocket = path.join(ours.directory, 'd0.sock');
  const tracedSocket = path.join(ours.directory, 'd1.sock');
  await listening(floorSocket);
  const control = path.join(ours.directory, 'control.sock');
  await listening(control);
  await controlCall(control, 'trace-start', { id: 'd1', file: path.join(work, `t${pin}.pcapng`) });
  const results: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    results.push({
      floor: client(pin, floorSocket, 'read', values.reads),
      ours: client(pin, oursSocket, 'read', values.reads),
      traced: client(pin, tracedSocket, 'read', values.reads),
      floorPosted: client(pin, floorSocket, 'write', values.writes).perSecond,
      posted: client(pin, oursSocket, 'write', values.writes).perSecond,
      multi: client(pin, oursSocket, 'multi', values.writes).perSecond,
    });
  }
  await stop(ours.child);
  await stop(floor);
  const ratio = (of: (result: (typeof results)[number]) => number) => Number(median(results.map(of)).toFixed(2));
  return {
    floor: { p50Ns: median(results.map((r) => r.floor.p50)), p99Ns: median(results.map((r) => r.floor.p99)) },
    ours: { p50Ns: median(results.map((r) => r.ours.p50)), p99Ns: median(results.map((r) => r.ours.p99)) },
    p50Ratio: ratio(({ floor: f, ours: o }) => o.p50 / f.p50),
    p99Ratio: ratio(({ floor: f, ours: o }) => o.p99 / f.p99),
    readsRatio: ratio(({ floor: f, ours: o }) => o.perSecond / f.perSecond),
    readsPerSecond: median(results.map((r) => r.ours.perSecond)),
    postedPerSecond: median(results.map((r) => r.posted)),
    floorPostedPerSecond: median(results.map((r) => r.floorPosted)),
    multiPerSecond: median(results.map((r) => r.multi)),
    tracedP50Ratio: ratio(({ ours: o, traced: t }) => t.p50 / o.p50),
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
  // Both ends on one processor, or where the scheduler puts them decides what the ratio below compares.
  const one = await host(true, 1);
  client(true, path.join(one.directory, 'd0.sock'), 'read', '2000');
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
  const many = await host(true, 64);
  for (let index = 0; index < 64; index++) client(true, path.join(many.directory, `d${index}.sock`), 'read', '100');
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

/** Reads in a VM that has a device of each server. */
async function guest(): Promise<GuestResult | { notMeasured: string }> {
  if (values['no-guest']) return { notMeasured: 'left out (--no-guest)' };
  const floorSocket = path.join(work, 'guest-floor.sock');
  const floor = start(false, path.join(work, 'floor'), floorSocket);
  // A class that Linux gives addresses to, which the default one is not.
  const ours = await host(false, 1, { classCode: 0x120000, aperture: '1M', memorySize: '1M' });
  await listening(floorSocket);
  try {
    return await readsInGuest(work, { floor: floorSocket, ours: path.join(ours.directory, 'd0.sock') });
  } finally {
    await stop(ours.child);
    await stop(floor);
  }
}

try {
  const native = await prepare(work);
  const { length: cpus, 0: cpu } = os.cpus();
  const result = {
    machine: { cpus, model: cpu?.model, node: process.version, native, load: os.loadavg()[0] },
    pinned: await accesses(true),
    unpinned: await accesses(false),
    node: await nodeFloor(rounds),
    process: await footprint(),
    guest: await guest(),
  };
  if (values.json) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
  const row = (name: string, target: string, a: unknown, b: unknown = '') =>
    console.log(`| ${name.padEnd(44)} | ${target.padEnd(9)} | ${String(a).padStart(10)} | ${String(b).padStart(10)} |`);
  const { pinned: p, unpinned: u, process: f, node: n, guest: g } = result;
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
  row('  Node itself, to the first line, ms', '', '', n.firstLineMs);
  row('memory, first function, MB', '<= 60', '', f.firstFunctionMB);
  row('  an empty process of Node, MB', '', '', n.processMB);
  row('memory, each further one of 64, MB', '<= 8', '', f.furtherFunctionMB);
  row('  an empty thread of Node, MB', '', '', n.threadMB);
  row('control on an idle connection, worst ms', '<= 50', '', f.idleControlMs.worst);
  row('reads/s with 63 others connected, of alone', '>= 0.90', f.readsOf64Ratio);
  if ('notMeasured' in g) console.log(`not measured in a guest: ${g.notMeasured}`);
  else {
    row('in a guest: trapped read, floor, us', '', '', (g.floorNs / 1000).toFixed(2));
    row('  ours, times the floor', '<= 1.05', '', (g.oursNs / g.floorNs).toFixed(2));
    row('in a guest: read of memory, ns', '', '', g.ramNs);
    row('  mapped aperture, times memory', '<= 2', '', (g.apertureNs / g.ramNs).toFixed(2));
  }
} finally {
  for (const child of running) child.kill('SIGKILL');
  rmSync(work, { recursive: true, force: true });
}
