/**
 * How long the hook delays a VM: from the start of the wrapper to QEMU's QMP greeting, with 0, 1, 8 and 31 devices,
 * against the same QEMU started bare. Needs `make build` and the QEMU of `make setup`. The VM stays stopped (-S), so a
 * guest's boot does not disturb the next round. Rounds are interleaved: other load hits all alike. `node -e 0` is what
 * any program on Node costs, so the least the hook can cost.
 *
 *   npm run bench -w runtime-hook [-- ROUNDS]
 *
 * On a machine that does other things, `chrt -r 1 npm run bench -w runtime-hook` (as root) keeps them away.
 */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { cpus, loadavg } from 'node:os';
import path from 'node:path';
import { unixListen } from '@kata-mock/posix';
import { loadArtefacts } from '../src/artefacts/artefacts.ts';
import { bareArguments } from './bare-arguments.ts';

// As the programs in bin/ do it: to read certificates would take Node longer than the rest of its start.
delete process.env['NODE_EXTRA_CA_CERTS'];
const rounds = Number(process.argv[2] ?? 12);
const cases = [
  { name: 'bare QEMU', wrapper: false, devices: 'none' },
  { name: 'wrapper, no devices', wrapper: true, devices: 'none' },
  { name: '1 device', wrapper: true, devices: '1' },
  { name: '8 devices', wrapper: true, devices: '8' },
  { name: '8 devices, 2 NUMA nodes', wrapper: true, devices: 'numa=0,count=4;numa=1,count=4' },
  { name: '31 devices', wrapper: true, devices: '31' },
];

const { qemu, kernel, wrapper } = loadArtefacts();
if (!existsSync(path.resolve(import.meta.dirname, '../../dist/hook/main.js'))) {
  throw new Error('dist/hook is missing: run `make build`');
}
const place = mkdtempSync('/tmp/kmb-');
const runDirectory = path.join(place, 'r');
const times = new Map<string, number[]>(cases.map(({ name }) => [name, []]));
const nodeTimes: number[] = [];
try {
  for (let round = 0; round <= rounds; round++) {
    const began = performance.now();
    spawnSync(process.execPath, ['-e', '0']);
    if (round > 0) nodeTimes.push(performance.now() - began);
    for (const each of cases) {
      const elapsed = await once(each, `b${round}`);
      // The first round fills caches.
      if (round > 0) times.get(each.name)?.push(elapsed);
    }
  }
} finally {
  rmSync(place, { recursive: true });
}

const floor = quantile(times.get('bare QEMU') ?? [], 0.5);
console.log(
  `start of the wrapper to QMP greeting, ms; ${rounds} rounds; ${cpus().length} CPUs, load ${loadavg()[0]?.toFixed(1)}`,
);
console.table(
  Object.fromEntries(
    cases.map(({ name }) => {
      const all = times.get(name) ?? [];
      const [best, p50, p90] = [0, 0.5, 0.9].map((part) => Math.round(quantile(all, part)));
      return [name, { best, p50, p90, 'ours (p50 - bare)': Math.round((p50 ?? 0) - floor) }];
    }),
  ),
);
const node = [0, 0.5].map((part) => Math.round(quantile(nodeTimes, part)));
console.log(`node -e 0: best ${node[0]} ms, p50 ${node[1]} ms`);
const ours = quantile(times.get('8 devices') ?? [], 0.5) - floor;
console.log(`target: 200 ms of ours for 8 devices: ${ours <= 200 ? 'met' : 'MISSED'}`);

async function once({ wrapper: wrapped, devices }: (typeof cases)[number], id: string): Promise<number> {
  const bundle = path.join(place, 'b');
  mkdirSync(bundle, { recursive: true });
  writeFileSync(path.join(bundle, 'config.json'), JSON.stringify({ annotations: { 'io.kata-mock/devices': devices } }));
  const qmp = path.join(place, 'qmp.sock');
  const listener = unixListen(qmp);
  const early = net.connect(qmp);
  const began = performance.now();
  const child = spawn(wrapped ? wrapper : qemu.path, bareArguments(`${id}-${began.toFixed(0)}`, kernel), {
    cwd: bundle,
    stdio: ['ignore', 'ignore', 'pipe', listener],
    env: { ...process.env, KATA_MOCK_QEMU: qemu.path, KATA_MOCK_RUN_DIR: runDirectory, KATA_MOCK_CONFIG: '' },
  });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk;
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const greeting = new Promise<void>((resolve) => early.once('data', () => resolve()));
  await Promise.race([greeting, ended.then(() => Promise.reject(new Error(`QEMU ended: ${said}`)))]);
  const elapsed = performance.now() - began;
  early.destroy();
  child.kill('SIGKILL');
  await ended;
  rmSync(qmp);
  closeSync(listener);
  // The next round starts when this one has left nothing.
  while (leftovers().length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  return elapsed;
}

function leftovers(): string[] {
  const directories = ['vm', 'leases']
    .map((name) => path.join(runDirectory, name))
    .filter((directory) => existsSync(directory));
  return directories.flatMap((directory) => readdirSync(directory)).filter((name) => !name.startsWith('.'));
}

function quantile(values: number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
