import { rmSync, writeFileSync } from 'node:fs';
import { FakeTree, type TreeDescription, writeNode } from '@kata-mock/pci/testing';
import { Cache } from 'cdi-spec';
import { afterEach, describe, expect, test } from 'vitest';
import { TreeGuest } from './guest/tree-guest.ts';
import { handleDevices } from './handle.ts';
import { defaultSettings } from './settings.ts';

const UUID = '11111111-1111-4111-8111-111111111111';
const LONG_MS = 60_000;
const mockAccel = { name: 'mock3', uuid: UUID, node: 'c 240:3' };
const entry = {
  ...{ uuid: UUID, hostAddress: '0000:1a:00.0', deviceTreePath: '02/00', containerPath: '/dev/mock0' },
  ...{ numaNode: -1, model: 'mock-accel', cdiName: '0' },
};

let tree: FakeTree;
afterEach(() => tree.remove());

/** A machine and what its agent makes of a request. By events alone, unless told otherwise. */
function machine(description: TreeDescription['roots'][0]['functions'], lookAgainMs = Number.POSITIVE_INFINITY) {
  tree = new FakeTree({ roots: [{ bus: '00', functions: description }] });
  const guest = new TreeGuest(tree, 'x86_64', lookAgainMs);
  const warnings: string[] = [];
  const specDirectory = `${tree.root}/cdi`;
  const cdi = { cache: new Cache({ specDirs: [specDirectory], autoRefresh: false }), specDirectory };
  const create = async (hotplugTimeoutMs: number, paths: string[], devices: object[] = []) => {
    const full = { type: '', id: '', vmPath: '', containerPath: paths[0] as string, options: [] };
    const { editor, plan } = await handleDevices(
      {
        guest,
        inventory: { version: 1, devices: [entry] },
        settings: { ...defaultSettings, hotplugTimeoutMs },
        cdi,
        warn: (text) => warnings.push(text),
      },
      {
        containerId: 'c1',
        devices: devices.map((device) => ({ ...full, ...device })),
        spec: {
          ociVersion: '1.1.0',
          linux: { devices: paths.map((path) => ({ path, type: 'c', major: 1, minor: 3 })) },
        },
      },
    );
    const nodes = (editor.result().linux?.devices ?? []).map((node) => `${node.path} ${node.major}:${node.minor}`);
    return { nodes, addresses: Object.fromEntries(plan.addresses) };
  };
  return { create, warnings };
}

const port = (arrives: 'now' | 'late') => [{ at: '02.0', functions: [{ at: '00.0', mockAccel, arrives }] }];

describe('a placeholder', () => {
  test('whose device the host promised is waited for', async () => {
    const { create } = machine(port('late'));
    const created = create(LONG_MS, ['/dev/mock0']);
    tree.arrive();
    expect(await created).toEqual({ nodes: ['/dev/mock0 240:3'], addresses: { '0000:1a:00.0': '0000:01:00.0' } });
  });

  test('whose promised device never comes is an error that names it and what is there', async () => {
    const other = { name: 'mock1', uuid: '2', node: 'c 240:1' };
    const { create } = machine([...port('late'), { at: '03.0', mockAccel: other }]);
    await expect(create(20, ['/dev/mock0'])).rejects.toMatchObject({
      code: 'DEVICE_NOT_FOUND',
      message: `the device of placeholder /dev/mock0 has not come: UUID ${UUID}, host address 0000:1a:00.0, promised at "02/00"; mock devices present: /dev/mock1 (0000:00:03.0)`,
    });
  });

  test('that nobody promised and no device goes by is left as it came, at once and with a warning', async () => {
    const { create, warnings } = machine(port('late'));
    const { nodes } = await create(LONG_MS, ['/dev/mock7', '/dev/null']);
    expect(nodes).toEqual(['/dev/mock7 1:3', '/dev/null 1:3']);
    expect(warnings).toEqual([expect.stringContaining('/dev/mock7 is left as it came')]);
  });
});

describe('a node', () => {
  const mock = { type: 'mock-accel', id: '1', options: ['0000:1a:00.0=02/00'] };

  test('that comes after its directory in sysfs is waited for', async () => {
    const { create } = machine(port('now'), 1);
    rmSync(`${tree.dev}/mock3`);
    const created = create(LONG_MS, ['/dev/x'], [mock]);
    writeNode(`${tree.dev}/mock3`, { type: 'c', major: 240, minor: 9 });
    expect((await created).nodes).toEqual(['/dev/x 240:9']);
  });

  test('that a shim names, and that nothing else tells of, is waited for', async () => {
    const { create } = machine([], 1);
    const created = create(LONG_MS, ['/dev/x'], [{ type: 'mmioblk', vmPath: '/dev/vdb' }]);
    writeNode(`${tree.dev}/vdb`, { type: 'b', major: 254, minor: 16 });
    expect((await created).nodes).toEqual(['/dev/x 254:16']);
  });

  test('that never comes is missing after the timeout', async () => {
    const { create } = machine(port('now'));
    const created = create(20, ['/dev/x'], [{ type: 'nvdimm', vmPath: '/dev/pmem9' }]);
    await expect(created).rejects.toMatchObject({
      code: 'NODE_NOT_FOUND',
      message: "VM device path /dev/pmem9 doesn't exist",
    });
  });

  test('that is no device fails at once', async () => {
    const { create } = machine(port('now'));
    writeFileSync(`${tree.dev}/mock3`, 'text\n');
    await expect(create(LONG_MS, ['/dev/x'], [mock])).rejects.toMatchObject({
      code: 'NODE_NOT_FOUND',
      message: expect.stringContaining('it is no device'),
    });
  });
});

test.each(['xyz', '../..', '02//03', '20', 'a0/00/zz'])('a disk at the place %j fails at once', async (id) => {
  const { create } = machine(port('now'));
  await expect(create(LONG_MS, ['/dev/x'], [{ type: 'blk', id }])).rejects.toMatchObject({
    code: 'INVALID_REQUEST',
    message: expect.stringContaining(`invalid id of block device /dev/x: invalid PCI path`),
  });
});
