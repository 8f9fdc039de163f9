import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { guestAgent } from '../../guest-image/src/paths.ts';
import { createSandbox, run, type SpecInit, sharedRoot, spec } from '../../test/agent/containers.ts';
import { AgentGuest, SHARED } from '../../test/support/agent-guest.ts';
import { DEVICE_COUNTS, type DeviceFigures } from './devices.ts';
import { makeProgram } from './devices-runs.ts';

export interface GuestFigures {
  /** From QEMU's exec to the first answered Check, ms. */
  readonly readyMs: number;
  /** Resident memory of the agent in bytes: after the start, after one container, and after {@link CONTAINERS}. */
  readonly residentBytes: { readonly start: number; readonly one: number; readonly hundred: number };
  /** Check calls a second over the virtio-serial port: one after the other, and 32 at once. */
  readonly checksPerSecond: { readonly serial: number; readonly parallel: number };
  /** Of the agent's containers with one device, by CDI. */
  readonly spec: SpecTimes;
  /** Device handling on a fake tree, by the guest's Node. */
  readonly devices: readonly DeviceFigures[];
}

/** Milliseconds that the agent itself spent on a container before runc: devices, CDI, the rest of the spec. */
export interface SpecTimes {
  readonly firstMs: number;
  /** The middle one of the later half of {@link CONTAINERS}. */
  readonly laterMs: number;
}

const CONTAINERS = 100;
const CALLS = 400;
const AT_ONCE = 32;
const NODE_ROOT = 'node-root';
/** Emulated, V8 compiles for long. */
const SETTLE_MS = 10_000;

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
    await oneContainer(guest, 0);
    const one = await resident(guest);
    for (let index = 1; index < CONTAINERS; index++) await oneContainer(guest, index);
    const residentBytes = { start, one, hundred: await resident(guest) };
    const spec = specTimes(guest);
    const devices: DeviceFigures[] = [];
    for (const count of DEVICE_COUNTS) devices.push(await devicesIn(guest, count));
    return { readyMs, residentBytes, checksPerSecond, spec, devices };
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

/** A container root of devices-program.ts and places for the guest's own files. */
async function makeNodeRoot(containerRoot: string): Promise<void> {
  for (const name of ['bench', 'usr', 'proc', 'sys', 'dev', 'tmp'])
    mkdirSync(path.join(containerRoot, name), { recursive: true });
  for (const name of ['lib', 'lib64']) symlinkSync(`usr/${name}`, path.join(containerRoot, name));
  await makeProgram(path.join(containerRoot, 'bench'));
}

/** Runs devices-program.ts by the guest's Node, with the agent's options, in a container that sees the guest's /usr. */
async function devicesIn(guest: AgentGuest, count: number): Promise<DeviceFigures> {
  const command = `exec node $(cat ${guestAgent}/node-options) /bench/devices-program.mjs ${count} ${SETTLE_MS}`;
  const OCI: SpecInit = spec(['/usr/bin/sh', '-c', command]);
  const capabilities = ['CAP_MKNOD'];
  OCI.Process = {
    ...OCI.Process,
    Env: ['PATH=/usr/bin', `NODE_PATH=${guestAgent}/node_modules`],
    Capabilities: { Bounding: capabilities, Permitted: capabilities, Effective: capabilities },
  } as never;
  OCI.Root = { Path: `${SHARED}/${NODE_ROOT}` };
  OCI.Mounts = [
    ...(OCI.Mounts ?? []),
    { destination: '/tmp', type: 'tmpfs', source: 'tmpfs' },
    { destination: '/usr', type: 'bind', source: '/usr', options: ['rbind', 'ro'] },
  ];
  const { status, stdout, stderr } = await run(guest, `devices${count}`, OCI);
  if (status !== 0) throw new Error(`the benchmark in the guest ended with ${status}: ${stderr}`);
  return JSON.parse(stdout) as DeviceFigures;
}

/** What the agent logs of its containers with one device: how long each took until its spec was ready. */
function specTimes(guest: AgentGuest): SpecTimes {
  const times = guest
    .consoleText()
    .split('\n')
    .filter((line) => line.includes('"container created"') && /"container":"c\d+"/.test(line))
    .map((line) => Number(/"specMs":([\d.]+)/.exec(line)?.[1]));
  const last = times.slice(-CONTAINERS / 2).sort((a, b) => a - b);
  return { firstMs: times[0] as number, laterMs: last[last.length >> 1] as number };
}
