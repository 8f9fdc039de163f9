import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { InventoryDevice } from '@kata-mock/contracts';
import { findMockDevices, guestCdiSpec } from '@kata-mock/devices';
import { TreeGuest } from '@kata-mock/devices/scenarios';
import { FakeTree, type FunctionDescription, type TreeDescription } from '@kata-mock/pci/testing';
import { Cache, writeSpec } from 'cdi-spec';
import type { Agent } from '../agent.ts';
import { type AgentConfig, defaultConfig } from '../config/config.ts';
import { makeLog } from '../log.ts';
import { OomEvents } from '../sandbox/oom-events.ts';
import { Sandbox } from '../sandbox/sandbox.ts';
import { Storages } from '../storage/storages.ts';

export interface FakeAgentOptions {
  readonly tree?: TreeDescription;
  readonly inventory?: readonly InventoryDevice[];
  readonly config?: Partial<AgentConfig>;
  /** Where it keeps things; a temporary directory when absent. */
  readonly directory?: string;
  /** Parts that a test brings itself. */
  readonly parts?: Partial<Agent>;
}

export interface FakeAgent {
  readonly agent: Agent;
  readonly tree: FakeTree;
  readonly guest: TreeGuest;
  remove(): void;
}

/** UUID of the devices of {@link mockTree}. */
export const uuidOf = (index: number) => `${(index + 1).toString(16).padStart(8, '0')}-1111-4111-8111-111111111111`;

/** One mock device per place (`02/00`, `a0/00/00`), with the kernel's numbers in reverse. */
export function mockTree(...places: string[]): { tree: TreeDescription; inventory: InventoryDevice[] } {
  const roots = new Map<string, Map<string, FunctionDescription[]>>([['00', new Map()]]);
  places.forEach((place, index) => {
    const [root, port, slot] = ['00', ...place.split('/')].slice(-3) as [string, string, string];
    const ports = roots.get(root) ?? new Map<string, FunctionDescription[]>();
    roots.set(root, ports);
    const number = places.length - 1 - index;
    const mockAccel = { name: `mock${number}`, uuid: uuidOf(index), node: `c 240:${number}` };
    ports.set(port, [...(ports.get(port) ?? []), { at: `${slot}.0`, driver: 'mock-accel', mockAccel }]);
  });
  return {
    tree: {
      roots: [...roots].map(([bus, ports]) => ({
        bus,
        functions: [...ports].map(([port, functions]) => ({ at: `${port}.0`, functions })),
      })),
    },
    inventory: places.map((deviceTreePath, index) => ({
      uuid: uuidOf(index),
      hostAddress: `0000:${(0x1a + index).toString(16)}:00.0`,
      deviceTreePath,
      numaNode: -1,
      model: 'mock-accel',
      cdiName: `${index}`,
      containerPath: `/dev/mock${index}`,
    })),
  };
}

/** An agent whose guest is a fake tree; nothing of it needs root. What a test does not bring and touches is an error. */
export function fakeAgent(options: FakeAgentOptions = {}): FakeAgent {
  const tree = new FakeTree(options.tree ?? { roots: [{ bus: '00', functions: [] }] });
  const guest = new TreeGuest(tree);
  const directory = options.directory ?? mkdtempSync(path.join(tmpdir(), 'fake-agent-'));
  const [base, state, cgroup, specDirectory] = ['base', 'state', 'cgroup', 'cdi'].map((name) =>
    path.join(directory, name),
  ) as [string, string, string, string];
  for (const place of [base, state, specDirectory]) mkdirSync(place);
  const inventory = options.inventory && { version: 1 as const, devices: [...options.inventory] };
  const spec = guestCdiSpec(findMockDevices(guest.sysfs, inventory));
  if (spec) {
    for (const device of spec.devices) for (const node of device.containerEdits.deviceNodes ?? []) delete node.hostPath;
    writeSpec(specDirectory, 'kata-mock.json', spec);
  }
  const missing = (name: string) =>
    new Proxy(
      {},
      {
        get: () => {
          throw new Error(`this test's agent has no ${name}`);
        },
      },
    ) as never;
  const devices = { ...defaultConfig.devices, hotplugTimeoutMs: 50, cdiTimeoutMs: 50 };
  const agent: Agent = {
    version: '0.0.0',
    config: { ...defaultConfig, devices, ...options.config },
    log: makeLog('error'),
    guest,
    inventory,
    cdi: { cache: new Cache({ specDirs: [specDirectory], autoRefresh: false }), specDirectory },
    sandbox: new Sandbox(),
    storages: new Storages({ guest, base, state, hotplugTimeoutMs: 50 }),
    runc: missing('runc'),
    reaper: missing('reaper'),
    oom: new OomEvents(cgroup),
    paths: { base, state, cgroup, resolvConf: path.join(state, 'etc-resolv.conf'), cdi: specDirectory },
    isInit: false,
    devicesReady: Promise.resolve(),
    end: () => {},
    ...options.parts,
  };
  const remove = () => {
    tree.remove();
    rmSync(directory, { recursive: true, force: true });
  };
  return { agent, tree, guest, remove };
}
