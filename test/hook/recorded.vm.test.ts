/** Real argument lists of Kata through the real wrapper into a real QEMU and our guest. */
import { mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import type { InventoryDevice } from '@kata-mock/contracts';
import { afterEach, describe, expect, it } from 'vitest';
import { artefacts } from '../support/artefacts.ts';
import { root } from '../support/paths.ts';
import { type Booted, bootThroughWrapper } from './boot.ts';
import { substitute } from './substitutions.ts';

const fixtures = path.join(root, 'runtime-hook/fixtures');
const recordings: { name: string; argv: string[] }[] = [
  'kata-3.21-qemu-argv.json',
  'runtime-rs-qemu-argv.json',
].flatMap((file) => JSON.parse(readFileSync(path.join(fixtures, file), 'utf8')));
/** As runtime-rs numbers them, and beyond what a shell can close. */
const shimDescriptors = [4, 16, 21, 40];

let booted: Booted | undefined;
afterEach(async () => {
  await booted?.end();
  booted = undefined;
});

/** A directory of this test and what the recording becomes in it. */
function prepare(argv: readonly string[]) {
  const directory = `/run/km-test-${process.pid}-r`;
  mkdirSync(directory, { mode: 0o700 });
  const { kernel, initrd } = artefacts();
  const substituted = substitute(argv, { kernel, initrd, directory });
  return { directory, ...substituted };
}

describe('a recorded start of a Kata VM', () => {
  it.each(recordings)('boots with three devices on two NUMA nodes: $name', async (recording) => {
    const { directory, argv, used } = prepare(recording.argv);
    console.table(used);
    const descriptors = Object.fromEntries(
      shimDescriptors.map((number) => [number, `${directory}/descriptor-${number}`]),
    );
    const devices = 'uuid=MOCK-ONE,numa=0;uuid=MOCK-TWO,numa=1;uuid=MOCK-THREE,bus=root-port';
    booted = await bootThroughWrapper({ directory, argv, devices, descriptors });

    // Byte for byte Kata's list, then ours. Before it: what starts QEMU.
    const commandLine = readFileSync(`/proc/${booted.pid}/cmdline`, 'utf8').split('\0');
    const at = commandLine.indexOf('-name');
    expect(commandLine.slice(at, at + argv.length)).toEqual(argv);
    const ours = commandLine.slice(at + argv.length);
    expect(ours.filter((arg) => arg.includes('vfio-user-pci'))).toHaveLength(3);

    const { pid, host, inventory } = booted;
    for (const [number, file] of Object.entries(descriptors)) expect(target(`/proc/${pid}/fd/${number}`)).toBe(file);
    const held = readdirSync(`/proc/${host}/fd`).map((fd) => target(`/proc/${host}/fd/${fd}`));
    expect(held.filter((file) => Object.values(descriptors).includes(file))).toEqual([]);

    expect(inventory.map(({ numaNode }) => numaNode)).toEqual([0, 1, -1]);
    expectSame(await booted.guestDevices(), inventory);
  });

  it('has room for 31 devices on four NUMA nodes and beside them', async () => {
    const { directory, argv } = prepare(recordings[0]?.argv ?? []);
    const devices = 'numa=3,count=5;bus=root-port,count=16;numa=1,count=5;numa=0,count=3;bus=pxb,count=2';
    booted = await bootThroughWrapper({ directory, argv, devices });
    expect(booted.inventory).toHaveLength(31);
    expectSame(await booted.guestDevices(), booted.inventory);
  });
});

/** The guest agrees with the inventory on each device's identity, node and, where it follows from the plan, address. */
function expectSame(found: Awaited<ReturnType<Booted['guestDevices']>>, inventory: InventoryDevice[]): void {
  const view = ({ uuid, numaNode }: { uuid: string; numaNode: number }) => ({ uuid, numaNode });
  expect(found.map(view)).toEqual(inventory.map(view));
  const perExpander = new Map<string, number>();
  for (const [index, { deviceTreePath }] of inventory.entries()) {
    const [rootBus = '', ...rest] = deviceTreePath.split('/');
    if (rest.length < 2) continue;
    const before = perExpander.get(rootBus) ?? 0;
    perExpander.set(rootBus, before + 1);
    const bus = (Number.parseInt(rootBus, 16) + 1 + before).toString(16);
    expect(found[index]?.address).toBe(`0000:${bus}:00.0`);
  }
}

function target(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}
