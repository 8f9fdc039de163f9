import type { InventoryDevice } from '@kata-mock/contracts';
import type { SandboxDevice } from '../sandbox/state.ts';

/** The hook's QEMU id of a device. */
export function qemuDeviceId(index: number): string {
  return `kata-mock-d${index}`;
}

/** What the agent found for one mock device: `mock-accel=<uuid>,<address>,<numa node>,<node>,<name>`. */
export interface AgentDevice {
  uuid: string;
  guestAddress: string;
  numaNode: number;
  guestNode: string;
}

const featurePattern =
  /^mock-accel=([0-9a-f-]{36}),([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]),(-?\d{1,4}),(\/dev\/[\w-]{1,64})(,|$)/;

/** Reads `agent_details.extra_features`; a Kata agent has none of these. */
export function agentDevices(features: string[]): AgentDevice[] {
  return features.flatMap((feature) => {
    const match = featurePattern.exec(feature);
    if (!match) return [];
    const [, uuid, guestAddress, numaNode, guestNode] = match as unknown as string[];
    return [{ uuid: uuid!, guestAddress: guestAddress!, numaNode: Number(numaNode), guestNode: guestNode! }];
  });
}

/**
 * One row a device: what the hook planned, and what the guest made of it. The agent's word counts for the kernel's
 * node and NUMA node; QEMU's for the address when there is no agent that tells.
 */
export function sandboxDevices(
  inventory: InventoryDevice[],
  addresses: Map<string, string>,
  agent: AgentDevice[],
): SandboxDevice[] {
  return inventory.map((device, index) => {
    const seen = agent.find((each) => each.uuid === device.uuid);
    const guestAddress = seen?.guestAddress ?? addresses.get(qemuDeviceId(index));
    return {
      index,
      uuid: device.uuid,
      cdiName: device.cdiName,
      model: device.model,
      hostAddress: device.hostAddress,
      deviceTreePath: device.deviceTreePath,
      ...(guestAddress !== undefined && { guestAddress }),
      numaNode: seen?.numaNode ?? device.numaNode,
      ...(seen && { guestNode: seen.guestNode }),
      containerPath: device.containerPath,
    };
  });
}
