import { renameSync } from 'node:fs';
import path from 'node:path';
import type { CreateContainerRequest } from '@kata-mock/contracts';
import type { ContainerRequest } from '@kata-mock/devices';
import { fromCreateContainer, type HandleContext, handleDevices } from '@kata-mock/devices';
import type { FakeTree } from '@kata-mock/pci/testing';
import { makedev, mknod, S_IFCHR } from '@kata-mock/posix';
import { type FakeAgent, fakeAgent, mockTree } from '../src/testing/fake-agent.ts';

/** One, a machine's worth, and as many as there are buses. */
export const DEVICE_COUNTS = [1, 16, 256];

/** Containers until V8 has compiled most of what each of them runs. */
const YOUNG = 30;

/** Containers measured in service, at least. */
const MOST_PRECISE = 30;

/** Milliseconds of the device handling of one CreateContainer. */
export interface DeviceFigures {
  readonly count: number;
  /** The first container of a process: V8 has compiled nothing of it yet. */
  readonly firstMs: number;
  /** Middle of the first {@link YOUNG}. */
  readonly youngMs: number;
  /** In service, after the time given to settle: the middle one, and the fastest, which a busy machine does not hide. */
  readonly steadyMs: number;
  readonly fastestMs: number;
  /** Whether the nodes were device nodes, which take a call each to look at, or (without root) files that stand for them. */
  readonly nodes: 'real' | 'files';
}

/**
 * Device handling of CreateContainer for `count` Device messages, in a process that has done nothing else: a fake sysfs, a
 * pod's recorded spec with an entry for each device and a variable with their addresses. A pod has few containers, so most
 * agents never do more than the first of these; an agent in service is what the middle of many tells.
 * @param settleMs how long to go on before containers count as those of an agent in service
 */
export async function measureDevices(
  count: number,
  recorded: CreateContainerRequest,
  settleMs: number,
): Promise<DeviceFigures> {
  const { fake, places } = manyDevices(count);
  const nodes = makeNodes(fake.tree, count) ? 'real' : 'files';
  const { agent, guest } = fake;
  const context: HandleContext = {
    guest,
    inventory: agent.inventory,
    settings: agent.config.devices,
    cdi: agent.cdi,
    warn: () => {},
  };
  const request = requestFor(fromCreateContainer(recorded), places);
  const began = performance.now();
  const one = async () => {
    const start = performance.now();
    await handleDevices(context, request);
    return performance.now() - start;
  };
  const young: number[] = [];
  while (young.length < YOUNG) young.push(await one());
  while (performance.now() - began < settleMs) await one();
  const steady: number[] = [];
  while (steady.length < MOST_PRECISE || performance.now() - began < 2 * settleMs) steady.push(await one());
  fake.remove();
  const firstMs = young[0] as number;
  return { count, firstMs, youngMs: middle(young), steadyMs: middle(steady), fastestMs: Math.min(...steady), nodes };
}

/** An agent of a machine with so many devices. 32 are below each port: there are only 256 buses. */
function manyDevices(count: number): { fake: FakeAgent; places: string[] } {
  const hex = (value: number) => value.toString(16).padStart(2, '0');
  const places = Array.from({ length: count }, (_, index) => `${hex(Math.floor(index / 32))}/${hex(index % 32)}`);
  const { tree, inventory } = mockTree(...places);
  const numbered = inventory.map((device, index) => ({ ...device, hostAddress: address(index) }));
  return { fake: fakeAgent({ tree, inventory: numbered }), places };
}

/** Device nodes in place of the fake ones, as far as this process may make them. */
function makeNodes(tree: FakeTree, count: number): boolean {
  try {
    for (let minor = 0; minor < count; minor++) {
      const file = path.join(tree.dev, `real${minor}`);
      mknod(file, S_IFCHR | 0o600, makedev(240, minor));
      renameSync(file, path.join(tree.dev, `mock${minor}`));
    }
    return true;
  } catch {
    return false;
  }
}

function requestFor({ spec }: ContainerRequest, places: readonly string[]): ContainerRequest {
  const addresses = places.map((_, index) => address(index));
  // Different numbers, so that they do not conflict.
  const devices = places.map((_, index) => ({ path: `/dev/mock${index}`, type: 'c' as const, major: 1, minor: index }));
  return {
    containerId: 'bench',
    devices: places.map((place, index) => ({
      type: 'mock-accel',
      id: `${index}`,
      vmPath: '',
      containerPath: `/dev/mock${index}`,
      options: [`${address(index)}=${place}`],
    })),
    spec: {
      ...spec,
      process: { cwd: '/', ...spec.process, env: [...(spec.process?.env ?? []), `PCIDEVICE_X=${addresses.join()}`] },
      linux: { ...spec.linux, devices: [...(spec.linux?.devices ?? []), ...devices] },
    },
  };
}

function address(index: number): string {
  return `${(index >> 8).toString(16).padStart(4, '0')}:${(index & 0xff).toString(16).padStart(2, '0')}:00.0`;
}

function middle(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[times.length >> 1] as number;
}
