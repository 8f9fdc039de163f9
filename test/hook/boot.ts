/** Starts the real wrapper as a shim does, with a list of arguments that boots here. */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { AgentService, checkInventory, type InventoryDevice } from '@kata-mock/contracts';
import { unixListen } from '@kata-mock/posix';
import { connect, createClient } from 'ttrpc-ts';
import { artefacts } from '../support/artefacts.ts';
import { leftovers } from '../support/leftovers.ts';
import { root } from '../support/paths.ts';
import { until } from '../support/until.ts';

const wrapper = path.join(root, 'runtime-hook/wrapper/kata-mock-qemu');
const answerMs = 120_000;
const endMs = 5000;
/** What the test itself keeps in its directory while it runs. */
const ofTheTest = /^file: (bundle|descriptor-|[a-z]+\.sock|pid|vm$|leases$|vm\/\.lock|leases\/\.lock)/;

export interface Booted {
  /** QEMU, which was the wrapper. */
  pid: number;
  /** The device host. */
  host: number;
  /** What the hook says it plugged. */
  inventory: InventoryDevice[];
  /** What the guest's agent finds, in the order of the inventory. */
  guestDevices(): Promise<{ uuid: string; address: string; numaNode: number }[]>;
  /** Ends QEMU, and waits until nothing of the VM is left. */
  end(): Promise<void>;
}

export interface BootOptions {
  /** Value of annotation io.kata-mock/devices. */
  devices: string;
  /** Made fresh, removed at the end. */
  directory: string;
  argv: readonly string[];
  /** Files to open for QEMU, by descriptor number. */
  descriptors?: Record<number, string>;
}

export async function bootThroughWrapper({ devices, directory, argv, descriptors = {} }: BootOptions): Promise<Booted> {
  const bundle = path.join(directory, 'bundle');
  mkdirSync(bundle, { recursive: true, mode: 0o700 });
  writeFileSync(path.join(bundle, 'config.json'), JSON.stringify({ annotations: { 'io.kata-mock/devices': devices } }));
  const opened = Object.entries(descriptors).map(([number, file]) => [Number(number), openSync(file, 'w')] as const);
  const listener = unixListen(path.join(directory, 'qmp.sock'));
  const stdio: (number | string | null)[] = ['ignore', 'ignore', 'pipe', listener];
  for (const [number, fd] of opened) stdio[number] = fd;
  const { qemu, rootImage } = artefacts();
  const child = spawn(wrapper, argv, {
    cwd: bundle,
    // A hole in the list is a closed descriptor.
    stdio: Array.from(stdio, (entry) => entry ?? null) as 'pipe'[],
    env: {
      PATH: process.env['PATH'],
      KATA_MOCK_QEMU: qemu.path,
      KATA_MOCK_ROOT_IMAGE: rootImage,
      KATA_MOCK_RUN_DIR: directory,
    },
  });
  for (const fd of [listener, ...opened.map(([, fd]) => fd)]) closeSync(fd);
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const end = async () => {
    child.kill('SIGKILL');
    await ended;
    // Device host, guard, sockets, leases: all of it ends with the VM, without help.
    await until(
      'end of all that the VM had',
      () => leftovers(directory).every((entry) => ofTheTest.test(entry)),
      endMs,
    );
    rmSync(directory, { recursive: true });
  };

  const early = net.connect(path.join(directory, 'qmp.sock'));
  const greeting = new Promise<string>((resolve) => early.once('data', (data) => resolve(String(data))));
  const failed = ended.then(() => Promise.reject(new Error(`QEMU ended: ${stderr}`)));
  failed.catch(() => {});
  try {
    if (!(await Promise.race([greeting, failed])).includes('"QMP"')) throw new Error('that is no QMP greeting');
    const vms = path.join(directory, 'vm');
    const vm = path.join(vms, readdirSync(vms).find((name) => !name.startsWith('.')) ?? '');
    const state = JSON.parse(readFileSync(path.join(vm, 'state.json'), 'utf8'));
    const guestDevices = () => Promise.race([askAgent(path.join(directory, 'agent.sock')), failed]);
    const inventory = checkInventory(state.inventory).devices;
    return { pid: child.pid ?? 0, host: state.deviceHost.pid, inventory, guestDevices, end };
  } catch (error) {
    await end();
    throw error;
  }
}

async function askAgent(socket: string) {
  await until('socket of the agent', () => existsSync(socket), endMs);
  const connection = await connect(`unix://${socket}`);
  try {
    const agent = createClient(AgentService, connection);
    const { agentDetails } = await agent.getGuestDetails({ memBlockSize: true }, { timeoutMs: answerMs });
    return (agentDetails?.extraFeatures ?? []).flatMap((feature) => {
      const [, uuid = '', address = '', numaNode] = /^mock-accel=([^,]+),([^,]+),([^,]+),/.exec(feature) ?? [];
      return uuid === '' ? [] : [{ uuid, address, numaNode: Number(numaNode) }];
    });
  } finally {
    connection.destroy();
  }
}
