/** Real argument lists of Kata through the real wrapper into a real QEMU and our guest. */
import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { AgentService } from '@kata-mock/contracts';
import { unixListen } from '@kata-mock/posix';
import { connect, createClient } from 'ttrpc-ts';
import { afterEach, describe, expect, it } from 'vitest';
import { artefacts } from '../support/artefacts.ts';
import { leftovers } from '../support/leftovers.ts';
import { root } from '../support/paths.ts';
import { until } from '../support/until.ts';
import { substitute } from './substitutions.ts';

const fixtures = path.join(root, 'runtime-hook/fixtures');
const recordings: { name: string; argv: string[] }[] = [
  'kata-3.21-qemu-argv.json',
  'runtime-rs-qemu-argv.json',
].flatMap((file) => JSON.parse(readFileSync(path.join(fixtures, file), 'utf8')));
const wrapper = path.join(root, 'runtime-hook/wrapper/kata-mock-qemu');
/** As runtime-rs numbers them, and beyond what a shell can close. */
const shimDescriptors = [4, 16, 21, 40];
const bootMs = 90_000;

let cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.reverse()) await step();
  cleanUp = [];
});

describe('a recorded start of a Kata VM', () => {
  it.each(recordings)('boots with three devices on two NUMA nodes: $name', async ({ argv }) => {
    const runDir = `/run/km-test-${process.pid}-r`;
    const bundle = path.join(runDir, 'bundle');
    mkdirSync(bundle, { recursive: true, mode: 0o700 });
    cleanUp.push(async () => rmSync(runDir, { recursive: true }));
    const devices = 'uuid=MOCK-ONE,numa=0;uuid=MOCK-TWO,numa=1;uuid=MOCK-THREE,bus=root-port';
    writeFileSync(
      path.join(bundle, 'config.json'),
      JSON.stringify({ annotations: { 'io.kata-mock/devices': devices } }),
    );
    const { kernel, initrd, rootImage, qemu } = artefacts();
    const substituted = substitute(argv, { kernel, initrd, directory: runDir });
    console.table(substituted.used);

    const files = shimDescriptors.map((number) => path.join(runDir, `descriptor-${number}`));
    const descriptors = files.map((file) => openSync(file, 'w'));
    const listener = unixListen(path.join(runDir, 'qmp.sock'));
    const stdio: (number | string | null)[] = Array.from({ length: 41 }, () => null);
    stdio.splice(0, 4, 'ignore', 'ignore', 'pipe', listener);
    for (const [index, number] of shimDescriptors.entries()) stdio[number] = descriptors[index] ?? null;
    const child = spawn(wrapper, substituted.argv, {
      cwd: bundle,
      stdio: stdio as 'pipe'[],
      env: {
        PATH: process.env['PATH'],
        KATA_MOCK_QEMU: qemu.path,
        KATA_MOCK_ROOT_IMAGE: rootImage,
        KATA_MOCK_RUN_DIR: runDir,
      },
    });
    for (const fd of [listener, ...descriptors]) closeSync(fd);
    let stderr = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk;
    });
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    cleanUp.push(async () => {
      child.kill('SIGKILL');
      await ended;
      // Device host, guard, sockets, leases: all of it ends with the VM, without help.
      const kept = /bundle|descriptor-|\.sock$|pid$|^file: (vm|leases)(\/\.lock)?$/;
      await until('end of the device host', () => leftovers(runDir).every((entry) => kept.test(entry)), 5000);
    });
    const early = net.connect(path.join(runDir, 'qmp.sock'));
    const greeting = await Promise.race([
      new Promise<string>((resolve) => early.once('data', (data) => resolve(String(data)))),
      ended.then(() => Promise.reject(new Error(`QEMU ended: ${stderr}`))),
    ]);
    expect(greeting).toContain('"QMP"');

    // Byte for byte Kata's list, then ours.
    const commandLine = readFileSync(`/proc/${child.pid}/cmdline`, 'utf8').split('\0');
    const at = commandLine.indexOf('-name');
    expect(commandLine.slice(at, at + substituted.argv.length)).toEqual(substituted.argv);
    expect(commandLine.slice(at + substituted.argv.length).filter((arg) => arg.includes('vfio-user-pci'))).toHaveLength(
      3,
    );

    const directory = path.join(
      runDir,
      'vm',
      readdirSync(path.join(runDir, 'vm')).find((name) => !name.startsWith('.')) ?? '',
    );
    const { pid: host } = JSON.parse(readFileSync(path.join(directory, 'owner.json'), 'utf8')) as { pid: number };
    for (const [index, number] of shimDescriptors.entries()) {
      expect(readlinkSync(`/proc/${child.pid}/fd/${number}`)).toBe(files[index]);
    }
    const held = readdirSync(`/proc/${host}/fd`).map((fd) => target(`/proc/${host}/fd/${fd}`));
    expect(held.filter((file) => files.includes(file))).toEqual([]);

    // The guest agrees with the inventory, device by device.
    await until('socket of the agent', () => existsSync(path.join(runDir, 'agent.sock')), 5000);
    const connection = await connect(`unix://${path.join(runDir, 'agent.sock')}`);
    cleanUp.push(async () => connection.close());
    const agent = createClient(AgentService, connection);
    const { agentDetails } = await agent.getGuestDetails({ memBlockSize: true }, { timeoutMs: bootMs });
    const { inventory } = JSON.parse(readFileSync(path.join(directory, 'state.json'), 'utf8'));
    const seen = (agentDetails?.extraFeatures ?? []).flatMap(
      (feature) => /^mock-accel=([^,]+),([^,]+),([^,]+),/.exec(feature)?.slice(1, 4) ?? [],
    );
    const rootBus = (deviceTreePath: string) =>
      deviceTreePath.length > 6 ? Number.parseInt(deviceTreePath, 16) + 1 : undefined;
    for (const [index, device] of (
      inventory.devices as { uuid: string; numaNode: number; deviceTreePath: string }[]
    ).entries()) {
      expect(seen[index * 3]).toBe(device.uuid);
      expect(Number(seen[index * 3 + 2])).toBe(device.numaNode);
      const bus = rootBus(device.deviceTreePath);
      if (bus !== undefined) expect(seen[index * 3 + 1]).toBe(`0000:${bus.toString(16)}:00.0`);
    }
    expect(inventory.devices.map(({ numaNode }: { numaNode: number }) => numaNode)).toEqual([0, 1, -1]);
    expect(seen).toHaveLength(9);
  });
});

function target(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}
