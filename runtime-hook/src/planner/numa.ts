import type { VmStart } from '../argv/vm-start.ts';
import { KataMockError } from '../errors.ts';
import { idsInOrder } from './initiator-order.ts';
import type { RequestedDevice } from './requests.ts';
import type { Topology } from './topology.ts';

/** A NUMA node without memory or CPUs, that the guest knows because a root port is its initiator. */
export interface ExtraNode {
  node: number;
  /** Id of its acpi-generic-initiator. */
  initiatorId: string;
  /** Id of a root port. */
  port: string;
}

/**
 * The nodes to add so that every device's node exists. QEMU wants numbers without gaps, and a node that nothing
 * refers to would not count in the guest: a node between gets the root port of the highest node as its initiator.
 */
export function extraNodes(
  devices: readonly RequestedDevice[],
  topology: Topology,
  start: VmStart,
  prefix: string,
): ExtraNode[] {
  const highest = Math.max(-1, ...devices.map((device) => device.numaNode));
  if (highest < 0) return [];
  if (start.numaNodes.length === 0) {
    throw new KataMockError(
      'BAD_INPUT',
      `a device asks for NUMA node ${highest}, and the VM has no NUMA nodes at all`,
      {
        hint: 'leave out numa=, or let the VM have a node (Kata: shared_fs = "virtio-fs" or file_mem_backend)',
      },
    );
  }
  const missing: number[] = [];
  for (let node = 0; node <= highest; node++) if (!start.numaNodes.includes(node)) missing.push(node);
  const ids = idsInOrder(
    start.objectIds,
    missing.map((node) => `${prefix}-node${node}`),
  );
  if (!ids) {
    throw new KataMockError('BAD_INPUT', `${missing.length} NUMA nodes cannot be added in order`, {
      hint: `use lower node numbers than ${highest}`,
    });
  }
  return missing.map((node, index) => {
    const member =
      devices.find((device) => device.numaNode === node) ?? devices.find((device) => device.numaNode === highest);
    return { node, initiatorId: ids[index] as string, port: topology.ports[member?.index ?? 0]?.id as string };
  });
}
