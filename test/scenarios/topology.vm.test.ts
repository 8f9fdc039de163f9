import { describe, expect, it } from 'vitest';
import { type Inspection, readDevice } from '../support/devices.ts';
import { type SandboxUnderTest, testHost } from '../support/host.ts';

const scope = testHost();
const uuid = (index: number) => `00000000-0000-4000-8000-00000000000${index}`;

/** Boots with these devices and answers what each node in the container says, in the order of their index. */
async function boot(
  name: string,
  specs: string[],
): Promise<{ nodes: Record<string, string>[]; inspection: Inspection }> {
  const devices = specs.flatMap((spec, index) => ['--device', `mock-accel,uuid=${uuid(index)}${spec}`]);
  const sandbox: SandboxUnderTest = await scope.host.sandbox(name, devices);
  try {
    const { stdout } = await sandbox.sh(specs.map((_, index) => `cat /dev/mock${index}; echo ---`).join('; '));
    const nodes = stdout.split('---\n').slice(0, -1).map(readDevice);
    return { nodes, inspection: await scope.host.json<Inspection>(['inspect', name]) };
  } finally {
    await sandbox.stop();
  }
}

const bus = (address: string) => Number.parseInt(address.split(':')[1]!, 16);

describe('devices', () => {
  it('work alone behind a plain root port', async () => {
    const { nodes, inspection } = await boot('one', [',bus=root-port']);
    expect(nodes).toMatchObject([{ UUID: uuid(0), 'NUMA Node': '-1' }]);
    expect(bus(inspection.devices[0]!.guestAddress)).toBeLessThan(0x20);
  });

  it('work behind a root port and behind an expander bus in one VM, each under its index', async () => {
    const { nodes, inspection } = await boot('mixed', [',bus=pxb,numa=1', ',bus=root-port']);
    expect(nodes).toMatchObject([{ UUID: uuid(0), 'NUMA Node': '1' }, { UUID: uuid(1) }]);
    const [expander, port] = inspection.devices.map(({ guestAddress }) => bus(guestAddress));
    expect(expander).toBeGreaterThan(0x20);
    expect(port).toBeLessThan(0x20);
  });

  it('get NUMA nodes that the VM’s own list lacks', async () => {
    const { nodes, inspection } = await boot('numa', [',numa=0', ',numa=3', ',numa=1']);
    expect(nodes.map((node) => node['NUMA Node'])).toEqual(['0', '3', '1']);
    expect(inspection.devices.map(({ numaNode }) => numaNode)).toEqual([0, 3, 1]);
  });

  it('number eight, on both kinds of bus, each at its own index and address', async () => {
    const { nodes, inspection } = await boot(
      'eight',
      Array.from({ length: 8 }, (_, index) => (index % 2 === 0 ? ',numa=1' : ',bus=root-port')),
    );
    expect(nodes.map((node) => node['UUID'])).toEqual(Array.from({ length: 8 }, (_, index) => uuid(index)));
    expect(new Set(inspection.devices.map(({ guestAddress }) => guestAddress)).size).toBe(8);
    expect(new Set(inspection.devices.map(({ hostAddress }) => hostAddress)).size).toBe(8);
  });
});
