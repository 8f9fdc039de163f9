import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { createSandbox, run, type SpecInit, sharedRoot, spec } from '../../test/agent/containers.ts';
import { AgentGuest, SHARED } from '../../test/support/agent-guest.ts';
import type { DeviceFigures } from './devices.ts';

export interface GuestFigures {
  /** From QEMU's exec to the first answered Check, ms. */
  readonly readyMs: number;
  /** Resident memory of the agent in bytes: after the start, after one container, and after {@link CONTAINERS}. */
  readonly residentBytes: { readonly start: number; readonly one: number; readonly hundred: number };
  /** Check calls a second over the virtio-serial port: one after the other, and 32 at once. */
  readonly checksPerSecond: { readonly serial: number; readonly parallel: number };
  /** Device handling, on a fake tree in the guest. */
  readonly devices: readonly DeviceFigures[];
}

const CONTAINERS = 100;
const CALLS = 400;
const AT_ONCE = 32;
const NODE_ROOT = 'node-root';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The agent as process 1 of an emulated guest, or why there is none here. */
export async function measureGuest(): Promise<GuestFigures | { readonly skipped: string }> {
  if (process.getuid?.() !== 0) return { skipped: 'a VM needs root' };
  if (!existsSync(path.join(root, 'build/artefacts.json'))) return { skipped: 'no guest image: run "make setup"' };
  const guest = await AgentGuest.boot({ devices: 1 });
  try {
    const { readyMs } = guest;
    const start = await resident(guest);
    const checksPerSecond = { serial: await checks(guest, 1), parallel: await checks(guest, AT_ONCE) };
    // Before the guest looks: it would remember what is not there.
    sharedRoot(guest);
    await makeNodeRoot(path.join(guest.share, NODE_ROOT));
    await createSandbox(guest);
    const devices = await devicesIn(guest);
    const one = await resident(guest);
    for (let index = 1; index < CONTAINERS; index++) await oneContainer(guest, index);
    const residentBytes = { start, one, hundred: await resident(guest) };
    return { readyMs, residentBytes, checksPerSecond, devices };
  } finally {
    await guest.stop();
  }
}

async function resident(guest: AgentGuest): Promise<number> {
  const { metrics } = await guest.agent.getMetrics({});
  return Number(/^kata_agent_total_rss (\d+)$/m.exec(metrics)?.[1]);
}

async function checks(guest: AgentGuest, atOnce: number): Promise<number> {
  const began = performance.now();
  const one = async () => {
    for (let call = 0; call < CALLS / atOnce; call++) await guest.health.check({});
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  return CALLS / ((performance.now() - began) / 1000);
}

async function oneContainer(guest: AgentGuest, index: number): Promise<void> {
  const annotations = { Annotations: { 'cdi.k8s.io/bench': 'kata-mock.dev/accel=0' } };
  const { status } = await run(guest, `c${index}`, spec(['true'], annotations));
  if (status !== 0) throw new Error(`container ${index} ended with ${status}`);
}

/** A container root of in-guest.ts and places for the guest's own files. */
async function makeNodeRoot(containerRoot: string): Promise<void> {
  await build({
    entryPoints: [path.join(root, 'agent-ext/bench/in-guest.ts')],
    outfile: path.join(containerRoot, 'bench/main.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['@kata-mock/source'],
    external: ['koffi'],
    banner: { js: "import { createRequire as c } from 'node:module'; const require = c(import.meta.url);" },
    logLevel: 'warning',
  });
  for (const name of ['usr', 'proc', 'sys', 'dev', 'tmp'])
    mkdirSync(path.join(containerRoot, name), { recursive: true });
  for (const name of ['lib', 'lib64']) symlinkSync(`usr/${name}`, path.join(containerRoot, name));
}

/** Runs in-guest.ts by the guest's Node, in a container that sees the guest's /usr. */
async function devicesIn(guest: AgentGuest): Promise<DeviceFigures[]> {
  const OCI: SpecInit = spec(['/usr/bin/node', '/bench/main.mjs']);
  OCI.Root = { Path: `${SHARED}/${NODE_ROOT}` };
  OCI.Mounts = [
    ...(OCI.Mounts ?? []),
    { destination: '/tmp', type: 'tmpfs', source: 'tmpfs' },
    { destination: '/usr', type: 'bind', source: '/usr', options: ['rbind', 'ro'] },
  ];
  const { status, stdout, stderr } = await run(guest, 'devices', OCI);
  if (status !== 0) throw new Error(`the benchmark in the guest ended with ${status}: ${stderr}`);
  return JSON.parse(stdout) as DeviceFigures[];
}
