import { checkInventory } from '@kata-mock/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { properties, qemuNumber, qemuOptions } from '../argv/options.ts';
import { recordings, smallest } from '../argv/recordings.testing.ts';
import { recogniseVmStart, type VmStart } from '../argv/vm-start.ts';
import { isKataMockError } from '../errors.ts';
import { type DeviceSpec, parseDeviceSpec } from '../inventory/device-spec.ts';
import { type Plan, planDevices } from './plan.ts';

const startOf = (argv: readonly string[]) => recogniseVmStart(argv) as VmStart;
const plan = (
  specs: readonly (string | DeviceSpec)[],
  changes: { argv?: readonly string[]; rootImage?: string } = {},
): Plan => {
  const devices = specs.map((spec) => (typeof spec === 'string' ? parseDeviceSpec(spec) : spec));
  const leasedAddresses = devices.map((_, index) => `ac00:00:${index.toString(16).padStart(2, '0')}.0`);
  return planDevices({
    devices,
    leasedAddresses,
    uuidSeed: ['machine', 'sandbox'],
    start: startOf(changes.argv ?? smallest),
    socketDirectory: '/run/kata-mock/vm/0123456789ab',
    rootImage: changes.rootImage,
  });
};
/** `-device` values of a plan as QEMU reads them. */
const devicesOf = (args: readonly string[]) =>
  qemuOptions(args).flatMap(({ name, value }) => (name === 'device' ? [properties(value ?? '', 'driver')] : []));

describe('a plan', () => {
  test('puts a device without wishes behind a root port', () => {
    expect(plan(['mock-accel']).args).toEqual([
      '-device',
      'pcie-root-port,id=kata-mock-rp0,bus=pcie.0,addr=0x10.0,chassis=64,slot=0',
      '-device',
      '{"driver":"vfio-user-pci","id":"kata-mock-d0","bus":"kata-mock-rp0","socket":{"path":"/run/kata-mock/vm/0123456789ab/d0.sock","type":"unix"},"rombar":0}',
      '-fw_cfg',
      'name=opt/io.kata-mock/devices,string={"version":1,,"devices":[{"uuid":"5848d6c5-03d5-8af4-9521-4f6ec99999f0",,"hostAddress":"ac00:00:00.0",,"deviceTreePath":"10/00",,"numaNode":-1,,"model":"mock-accel",,"cdiName":"0",,"containerPath":"/dev/mock0"}]}',
    ]);
  });

  test('adds the NUMA node that the VM lacks, and not the one it has', () => {
    const { args, devices } = plan(['numa=0', 'numa=1']);
    expect(args.slice(0, 12)).toEqual([
      ...['-numa', 'node,nodeid=1'],
      ...['-device', 'pxb-pcie,id=kata-mock-pxb0,bus=pcie.0,addr=0x10,bus_nr=160,numa_node=0'],
      ...['-device', 'pxb-pcie,id=kata-mock-pxb1,bus=pcie.0,addr=0x11,bus_nr=176,numa_node=1'],
      ...['-device', 'pcie-root-port,id=kata-mock-rp0,bus=kata-mock-pxb0,addr=0x0.0,chassis=64,slot=0'],
      ...['-device', 'pcie-root-port,id=kata-mock-rp1,bus=kata-mock-pxb1,addr=0x0.0,chassis=65,slot=0'],
      ...['-object', 'acpi-generic-initiator,id=kata-mock-node1,pci-dev=kata-mock-rp1,node=1'],
    ]);
    expect(devices.map((device) => device.deviceTreePath)).toEqual(['a0/00/00', 'b0/00/00']);
  });

  test('fills the gap below a NUMA node with nodes that the guest counts too', () => {
    const { extraNodes } = plan(['numa=3']);
    expect(extraNodes.map(({ node, port }) => [node, port])).toEqual([
      [1, 'kata-mock-rp0'],
      [2, 'kata-mock-rp0'],
      [3, 'kata-mock-rp0'],
    ]);
  });

  test('is empty without devices, but for the root image', () => {
    expect(plan([]).args).toEqual([]);
    expect(plan([], { rootImage: '/images/a,b.img' }).args).toEqual([
      '-blockdev',
      '{"driver":"raw","node-name":"kata-mock-root","read-only":true,"file":{"driver":"file","filename":"/images/a,b.img"}}',
      '-device',
      'virtio-blk-pci,id=kata-mock-root-disk,drive=kata-mock-root,serial=kata-mock-root,bus=pcie.0,addr=0x1e',
    ]);
  });

  test('asks nothing of a machine that gets nothing', () => {
    const microvm = smallest.map((arg) => arg.replace('q35,', 'microvm,'));
    expect(plan([], { argv: microvm }).args).toEqual([]);
    expect(() => plan([], { argv: microvm, rootImage: '/r' })).toThrow(
      'machine "microvm" has no PCI Express root complex',
    );
  });

  test('shares slots between root ports when devices are many', () => {
    const { devices } = plan(
      Array.from({ length: 31 }, () => 'mock-accel'),
      { rootImage: '/root.img' },
    );
    expect(devices[0]?.port).toMatchObject({ slot: 0x10, function: 0, multifunction: true });
    expect(devices[14]).toMatchObject({ deviceTreePath: '10.1/00', port: { function: 1, multifunction: false } });
    expect(devices[30]).toMatchObject({ deviceTreePath: '12.2/00' });
  });

  test('has room for 64 devices on three nodes and 112 root ports', () => {
    expect(plan(Array.from({ length: 64 }, (_, index) => `numa=${index % 3}`)).expanders).toMatchObject([
      { busNumber: 0xa0 },
      { busNumber: 0xa0 + 23 },
      { busNumber: 0xa0 + 23 + 22 },
    ]);
    expect(
      plan(
        Array.from({ length: 112 }, () => 'mock-accel'),
        { rootImage: '/r' },
      ).devices,
    ).toHaveLength(112);
  });

  test('keeps clear of ids, slots, chassis and root buses that the VM has', () => {
    const argv = [
      ...smallest,
      ...['-device', 'pxb-pcie,id=kata-mock-x,bus=pcie.0,addr=0x10,bus_nr=0xa0'],
      ...['-device', 'pcie-root-port,id=rp,bus=kata-mock-x,chassis=64'],
    ];
    const { args } = plan(['numa=0', 'mock-accel'], { argv });
    expect(args).toContain('pxb-pcie,id=kata-mock2-pxb0,bus=pcie.0,addr=0x11,bus_nr=192,numa_node=0');
    expect(args).toContain('pcie-root-port,id=kata-mock2-rp1,bus=pcie.0,addr=0x12.0,chassis=66,slot=0');
  });

  test.each([
    [['uuid=MOCK-1', 'mock-accel', 'uuid=MOCK-1'], 'devices 0 and 2 have the same UUID'],
    [['host=0000:1a:00.0', 'host=0000:1a:00.0'], 'devices 0 and 1 have the same host address'],
    [['path=/dev/mockx', 'path=/dev/mockx'], 'devices 0 and 1 have the same container path'],
    [['name=x', 'name=x'], 'devices 0 and 1 have the same CDI name'],
  ])('refuses %j', (specs, reason) => {
    expect(() => plan(specs)).toThrow(reason);
  });

  test('gives numbers that were asked for to nobody else', () => {
    const { devices } = plan(['name=1,path=/dev/mock2', 'mock-accel', 'mock-accel']);
    expect(devices.map((device) => device.cdiName)).toEqual(['1', '0', '2']);
    expect(devices.map((device) => device.containerPath)).toEqual(['/dev/mock2', '/dev/mock1', '/dev/mock0']);
  });

  test('says so when the VM is no q35, has no NUMA nodes or no room', () => {
    const changed = (from: string, to: string) => smallest.map((arg) => arg.replace(from, to));
    expect(() => plan(['mock-accel'], { argv: changed('q35,', 'microvm,') })).toThrow('no PCI Express root complex');
    const noNodes = smallest.filter((arg, index) => arg !== '-numa' && smallest[index - 1] !== '-numa');
    expect(() => plan(['numa=0'], { argv: noNodes })).toThrow('the VM has no NUMA nodes at all');
    expect(() => plan(Array.from({ length: 121 }, () => 'mock-accel'))).toThrow(
      'room for 120 root ports, 121 are needed',
    );
    expect(() => plan(Array.from({ length: 100 }, () => 'numa=0'))).toThrow('bus numbers left');
    const long = { devices: [parseDeviceSpec('mock-accel')], leasedAddresses: ['ac00:00:00.0'], uuidSeed: [] };
    expect(() => planDevices({ ...long, start: startOf(smallest), socketDirectory: `/${'x'.repeat(100)}` })).toThrow(
      'longer than 107 bytes',
    );
  });

  const someSpec = fc.record({
    model: fc.constant('mock-accel'),
    count: fc.constant(1),
    numa: fc.option(fc.integer({ min: 0, max: 7 }), { nil: undefined }),
    bus: fc.constantFrom(undefined, 'pxb' as const),
  });
  const someArgv = fc.constantFrom(...recordings.map((recording) => recording.argv));
  const someInput = fc.tuple(fc.array(someSpec, { maxLength: 40 }), someArgv, fc.constantFrom(undefined, '/root.img'));

  test('never uses an id, slot, chassis, bus or device tree path twice', () => {
    fc.assert(
      fc.property(someInput, ([specs, argv, rootImage]) => {
        const all = [...argv, ...plan(specs, { argv, ...(rootImage ? { rootImage } : {}) }).args];
        const devices = devicesOf(all);
        const noneTwice = (values: unknown[]) => expect(new Set(values).size).toBe(values.length);
        const of = (key: string) => devices.flatMap((device) => device.get(key) ?? []);
        const objects = qemuOptions(all).flatMap(({ name, value }) =>
          name === 'object' ? [properties(value ?? '', 'type').get('id')] : [],
        );
        noneTwice([...of('id'), ...objects]);
        noneTwice(
          devices.flatMap((device) => (device.has('addr') ? [`${device.get('bus')} ${device.get('addr')}`] : [])),
        );
        noneTwice(of('chassis'));
        const buses = of('bus_nr').map((number) => qemuNumber(number) ?? 0);
        noneTwice(buses);
        expect(buses.every((number) => number >= 0xa0 && number <= 0xff)).toBe(true);
        for (const device of devices) {
          if (device.get('driver') !== 'pcie-root-port' || device.get('bus') !== 'pcie.0') continue;
          expect(Number.parseInt(device.get('addr') ?? '', 16)).toBeGreaterThanOrEqual(0x10);
          expect(Number.parseInt(device.get('addr') ?? '', 16)).toBeLessThanOrEqual(0x1e);
        }
      }),
    );
  });

  test('refers only to what exists, and gives the guest a valid inventory', () => {
    fc.assert(
      fc.property(someInput, ([specs, argv, rootImage]) => {
        const made = plan(specs, { argv, ...(rootImage ? { rootImage } : {}) });
        const all = [...argv, ...made.args];
        const devices = devicesOf(all);
        const ids = new Set(['pcie.0', ...devices.flatMap((device) => device.get('id') ?? [])]);
        for (const device of devices) expect(ids.has(device.get('bus') ?? 'pcie.0')).toBe(true);
        const nodes = startOf(all).numaNodes;
        expect([...nodes].sort((a, b) => a - b)).toEqual(nodes.map((_, index) => index));
        for (const device of devices)
          if (device.has('numa_node')) expect(nodes).toContain(Number(device.get('numa_node')));
        for (const node of made.extraNodes) expect(ids.has(node.port)).toBe(true);
        expect(checkInventory(made.inventory)).toEqual(made.inventory);
        expect(made.args.every((arg) => !arg.includes('\n'))).toBe(true);
      }),
    );
  });

  test('is the same for the same input, byte for byte', () => {
    fc.assert(
      fc.property(someInput, ([specs, argv, rootImage]) => {
        const once = () => plan(structuredClone(specs), { argv: [...argv], ...(rootImage ? { rootImage } : {}) });
        const text = (value: Plan) =>
          JSON.stringify(value, (_key, entry) => (typeof entry === 'bigint' ? `${entry}` : entry));
        expect(text(once())).toBe(text(once()));
      }),
    );
  });

  test('fails only with errors of this package, however many devices', () => {
    fc.assert(
      fc.property(fc.array(someSpec, { maxLength: 200 }), someArgv, (specs, argv) => {
        try {
          plan(specs, { argv });
        } catch (error) {
          expect(isKataMockError(error), String(error)).toBe(true);
        }
      }),
    );
  });
});
