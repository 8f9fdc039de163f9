import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { deviceTreePathOf, functionsOf, readFunction, readTopology, resolveDeviceTreePath } from '../index.ts';
import { FakeKernel, FakeTree, snapshotTree, type TreeDescription } from './index.ts';
import twoNodes from './two-nodes.json' with { type: 'json' };

const trees: FakeTree[] = [];
const build = (description: TreeDescription) => {
  const tree = new FakeTree(description);
  trees.push(tree);
  return tree;
};
afterEach(() => {
  for (const tree of trees.splice(0)) tree.remove();
});
const description = twoNodes as TreeDescription;

describe('a fake tree', () => {
  test('has the topology that was described', () => {
    const functions = [...functionsOf(readTopology(build(description).sysfs))];
    expect(functions.map((node) => [node.address, deviceTreePathOf(node), node.numaNode, node.isBridge])).toEqual([
      ['0000:00:01.0', '01.0', -1, false],
      ['0000:00:11.0', '11.0', -1, true],
      ['0000:02:00.0', '11.0/00.0', -1, false],
      ['0000:a0:00.0', 'a0/00.0', 1, true],
      ['0000:a1:00.0', 'a0/00.0/00.0', 1, false],
      ['0000:a1:00.1', 'a0/00.0/00.1', 1, false],
    ]);
  });

  test('resolves a device tree path behind a pxb and behind a root port', () => {
    const { sysfs } = build(description);
    expect(resolveDeviceTreePath(sysfs, 'a0/00/00')).toEqual({
      address: '0000:a1:00.0',
      devpath: '/devices/pci0000:a0/0000:a0:00.0/0000:a1:00.0',
      exists: true,
    });
    expect(resolveDeviceTreePath(sysfs, '11/00').address).toBe('0000:02:00.0');
    expect(resolveDeviceTreePath(sysfs, '11/01')).toMatchObject({ address: '0000:02:01.0', exists: false });
    expect(() => resolveDeviceTreePath(sysfs, 'b0/00/00')).toThrow('there are: 0000:00, 0000:a0');
  });

  test('shows driver, group and both ends of an SR-IOV pair', () => {
    const { sysfs } = build(description);
    const [physical, virtual] = ['0000:a1:00.0', '0000:a1:00.1'].map((address) =>
      readFunction(sysfs, `/devices/pci0000:a0/0000:a0:00.0/${address}`),
    );
    expect(physical).toMatchObject({ driver: 'mock-accel', iommuGroup: '7', vendor: 0x1de5 });
    expect(physical?.sriov).toMatchObject({ totalVfs: 2, numVfs: 1, virtualFunctions: ['0000:a1:00.1'] });
    expect(virtual?.sriov).toMatchObject({ physicalFunction: '0000:a1:00.0', virtualFunctions: [] });
  });

  test('has node files with numbers, and tells them from other files', () => {
    const tree = build({ ...description, nodes: { sdb: 'b 8:16' }, files: { 'dev/plain': 'text\n' } });
    expect(tree.readNode('/dev/mock0')).toEqual({ type: 'c', major: 240, minor: 0 });
    expect(tree.readNode('/dev/vda')).toEqual({ type: 'b', major: 254, minor: 0 });
    expect(tree.readNode('/dev/sdb')).toEqual({ type: 'b', major: 8, minor: 16 });
    expect(tree.readNode('/dev/plain')).toBe('other');
    expect(tree.readNode('/dev/mock9')).toBeUndefined();
  });

  test('puts an arm64 root below its platform device', () => {
    const platform = '4010000000.pcie';
    const { sysfs } = build({
      roots: [{ bus: '00', platform, functions: [{ at: '02.0', functions: [{ at: '00.0' }] }] }],
    });
    expect(resolveDeviceTreePath(sysfs, '02/00').devpath).toBe(
      `/devices/platform/${platform}/pci0000:00/0000:00:02.0/0000:01:00.0`,
    );
  });

  test('a snapshot of it describes the same tree', () => {
    const snapshot = snapshotTree(build(description).sysfs);
    expect(snapshotTree(build(snapshot).sysfs)).toEqual(snapshot);
    expect(snapshot.roots[1]?.functions[0]?.functions?.[0]).toMatchObject({ at: '00.0', totalVfs: 2, iommuGroup: '7' });
  });

  test.each(['missing', 'empty', 'double'] as const)('a snapshot keeps a pci_bus that is %s', (pciBus) => {
    const tree = build({ roots: [{ bus: '00', functions: [{ at: '02.0', pciBus, functions: [{ at: '00.0' }] }] }] });
    expect(snapshotTree(tree.sysfs).roots[0]?.functions[0]?.pciBus).toBe(pciBus);
  });
});

describe('functions that come late', () => {
  test.each([
    ['late', 1],
    ['twice', 2],
    ['silent', 0],
  ] as const)('%s: %i events', (arrives, count) => {
    const tree = build({ roots: [{ bus: '00', functions: [{ at: '03.0', arrives }] }] });
    const seen: string[] = [];
    tree.onUevent((event) => seen.push(`${event.action} ${event.devpath}`));
    expect(resolveDeviceTreePath(tree.sysfs, '03').exists).toBe(false);
    tree.arrive();
    expect(resolveDeviceTreePath(tree.sysfs, '03').exists).toBe(true);
    expect(seen).toEqual(Array(count).fill('add /devices/pci0000:00/0000:00:03.0'));
  });

  test('and leave with a remove event', () => {
    const tree = build(description);
    const seen: string[] = [];
    tree.onUevent((event) => seen.push(event.action));
    tree.unplug('0000:a1:00.0');
    expect(seen).toEqual(['remove']);
    expect(tree.readNode('/dev/mock0')).toBeUndefined();
    expect(resolveDeviceTreePath(tree.sysfs, 'a0/00/00').exists).toBe(false);
  });
});

describe('the fake kernel', () => {
  const device = '/sys/devices/pci0000:00/0000:00:03.0';
  const one = (extra: object): TreeDescription => ({
    roots: [{ bus: '00', functions: [{ at: '03.0', driver: 'mock-accel', iommuGroup: '5', ...extra }] }],
  });

  test('rebinds on override, unbind and probe, and makes the VFIO group node', () => {
    const tree = build(one({}));
    const kernel = new FakeKernel(tree);
    kernel.write(`${device}/driver_override`, 'vfio-pci');
    kernel.write(`${device}/driver/unbind`, '0000:00:03.0');
    kernel.write('/sys/bus/pci/drivers_probe', '0000:00:03.0');
    expect(readFunction(tree.sysfs, path.relative('/sys', device)).driver).toBe('vfio-pci');
    expect(tree.readNode('/dev/vfio/5')).toEqual({ type: 'c', major: 243, minor: 5 });
  });

  test('refuses an override when the description says so', () => {
    const kernel = new FakeKernel(build(one({ driverOverride: 'fails' })));
    expect(() => kernel.write(`${device}/driver_override`, 'vfio-pci')).toThrow('EINVAL');
  });
});
