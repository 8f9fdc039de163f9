import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { deviceTreePathOf, functionsOf, readFunction, readTopology, resolveDeviceTreePath } from '../index.ts';
import { FakeKernel, FakeTree, type FunctionDescription, snapshotTree, type TreeDescription } from './index.ts';
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

  test('functions of several PCI domains stay apart, in a snapshot too; a request names those of domain 0', () => {
    const one = (domain: string, vendor: string) => ({ domain, bus: '00', functions: [{ at: '02.0', vendor }] });
    const tree = build({ roots: [one('0000', '0x1111'), one('0001', '0x2222')] });
    const snapshot = snapshotTree(tree.sysfs);
    expect(snapshot.roots.map(({ domain }) => domain)).toEqual([undefined, '0001']);
    const functions = [...functionsOf(readTopology(build(snapshot).sysfs))];
    expect(functions.map((node) => [node.address, node.vendor, deviceTreePathOf(node)])).toEqual([
      ['0000:00:02.0', 0x1111, '02.0'],
      ['0001:00:02.0', 0x2222, undefined],
    ]);
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

  test('with the events of what their driver makes, each once it is there', () => {
    const mockAccel = { name: 'mock0', uuid: '1', node: '240:0' };
    const tree = build({ roots: [{ bus: '00', functions: [{ at: '03.0', arrives: 'late', mockAccel }] }] });
    const seen: unknown[] = [];
    tree.onUevent(({ action, devpath, env }) => seen.push([action, env.SUBSYSTEM, existsSync(tree.sysfs + devpath)]));
    tree.arrive();
    expect(seen).toEqual([
      ['add', 'pci', true],
      ['add', 'mock-accel', true],
      ['bind', 'pci', true],
    ]);
  });

  test('what is below a bridge comes with it, and nothing comes twice', () => {
    const bridge: FunctionDescription = { at: '03.0', arrives: 'late', functions: [{ at: '00.0' }] };
    const tree = build({ roots: [{ bus: '00', functions: [bridge] }] });
    const added: string[] = [];
    tree.onUevent(({ devpath }) => added.push(path.basename(devpath)));
    expect(readdirSync(`${tree.sysfs}/devices/pci0000:00`)).toEqual([]);
    tree.arrive();
    tree.arrive();
    expect(added).toEqual(['0000:00:03.0', '0000:01:00.0']);
    tree.unplug('0000:00:03.0');
    tree.arrive();
    expect(resolveDeviceTreePath(tree.sysfs, '03/00').exists).toBe(true);
  });
});

describe('functions that leave', () => {
  /** Every path of a tree, links to what is not there any more among them. */
  const paths = (tree: FakeTree, directory = tree.root): string[] =>
    readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
      const file = path.join(directory, entry.name);
      return [path.relative(tree.root, file), ...(entry.isDirectory() ? paths(tree, file) : [])];
    });

  test('take their nodes and links with them, and all that is below a bridge, children first', () => {
    const tree = build(description);
    const seen: string[] = [];
    tree.onUevent(({ action, devpath }) => seen.push(`${action} ${path.basename(devpath)}`));
    tree.unplug('0000:a0:00.0');
    expect(seen).toEqual([
      ...['unbind 0000:a1:00.1', 'remove 0000:a1:00.1'],
      ...['remove mock0', 'unbind 0000:a1:00.0', 'remove 0000:a1:00.0'],
      ...['unbind 0000:a0:00.0', 'remove 0000:a0:00.0'],
    ]);
    expect(tree.readNode('/dev/mock0')).toBeUndefined();
    expect(tree.readNode('/dev/mock1')).toBeDefined();
    const left = paths(tree).filter((name) => /0000:a[01]:|mock0|240:0|iommu_groups\/./.test(name));
    expect(left).toEqual([]);
    expect(() => tree.unplug('0000:a0:00.0')).toThrow('no function 0000:a0:00.0');
  });

  test('take their virtual functions with them; a virtual one leaves its physical one as it was', () => {
    const tree = build(description);
    tree.unplug('0000:a1:00.1');
    const physical = '/devices/pci0000:a0/0000:a0:00.0/0000:a1:00.0';
    expect(readFunction(tree.sysfs, physical).sriov).toMatchObject({ numVfs: 0, virtualFunctions: [] });
    const other = build(description);
    other.unplug('0000:a1:00.0');
    expect([...functionsOf(readTopology(other.sysfs))].map(({ address }) => address)).not.toContain('0000:a1:00.1');
  });

  test('leave a tree as if they had never been', () => {
    const base = { at: '02.0', driver: 'pcieport', functions: [] };
    const parts = { iommuGroup: '5', virtio: { index: 1, scsi: { host: 0, disks: [] }, net: 'eth0' } };
    const without = build({ roots: [{ bus: '00', functions: [base] }] });
    const tree = build({ roots: [{ bus: '00', functions: [base, { at: '03.0', ...parts }] }] });
    tree.unplug('0000:00:03.0');
    const isTraceless = (name: string) => !/^sys\/(class\/|bus\/pci\/drivers\/virtio|kernel)/.test(name);
    expect(paths(tree).filter(isTraceless)).toEqual(paths(without).filter(isTraceless));
    expect(readdirSync(`${tree.sysfs}/class`).flatMap((name) => readdirSync(`${tree.sysfs}/class/${name}`))).toEqual(
      [],
    );
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

  test('unbinds what a driver made, and makes it again when the driver is back', () => {
    const mockAccel = { name: 'mock0', uuid: '1', node: '240:0' };
    const tree = build(one({ mockAccel, vfioDevice: 'vfio3' }));
    const kernel = new FakeKernel(tree);
    const probe = (driver: string) => {
      kernel.write(`${device}/driver_override`, driver);
      kernel.write(`${device}/driver/unbind`, '0000:00:03.0');
      kernel.write('/sys/bus/pci/drivers_probe', '0000:00:03.0');
    };
    const nodes = () =>
      ['mock0', 'vfio/5', 'vfio/devices/vfio3'].filter((name) => tree.readNode(`/dev/${name}`) !== undefined);
    const seen: string[] = [];
    tree.onUevent(({ action, env }) => seen.push(`${action} ${env.SUBSYSTEM}`));
    expect([nodes(), readFunction(tree.sysfs, device.slice(4)).vfioDevice]).toEqual([['mock0'], undefined]);
    probe('vfio-pci');
    expect(nodes()).toEqual(['vfio/5', 'vfio/devices/vfio3']);
    expect(tree.readNode('/dev/vfio/vfio')).toEqual({ type: 'c', major: 10, minor: 196 });
    expect(readFunction(tree.sysfs, device.slice(4)).vfioDevice).toBe('vfio3');
    expect(readFileSync(`${tree.sysfs}/class/vfio-dev/vfio3/dev`, 'utf8')).toBe('242:3\n');
    probe('\n');
    expect(nodes()).toEqual(['mock0']);
    expect(seen).toEqual([
      ...['remove mock-accel', 'unbind pci', 'add vfio', 'add vfio-dev', 'bind pci'],
      ...['remove vfio-dev', 'remove vfio', 'unbind pci', 'add mock-accel', 'bind pci'],
    ]);
  });

  test('keeps the node of a group while a function of it is bound', () => {
    const pair = ['03.0', '04.0'].map((at) => ({ at, driver: 'vfio-pci', iommuGroup: '5' }));
    const tree = build({ roots: [{ bus: '00', functions: pair }] });
    const kernel = new FakeKernel(tree);
    const there = ['03.0', '04.0'].map((at) => {
      kernel.write(`/sys/bus/pci/drivers/vfio-pci/unbind`, `0000:00:${at}`);
      return tree.readNode('/dev/vfio/5') !== undefined;
    });
    expect(there).toEqual([true, false]);
  });

  test('refuses an override when the description says so', () => {
    const kernel = new FakeKernel(build(one({ driverOverride: 'fails' })));
    expect(() => kernel.write(`${device}/driver_override`, 'vfio-pci')).toThrow('EINVAL');
  });
});
