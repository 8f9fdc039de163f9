import type { ContainerPlan } from '@kata-mock/devices';
import { deviceTreePathOf, functionsOf, readTopology } from '@kata-mock/pci';
import { AgentError } from '../errors.ts';

const PREFIX = 'PCIDEVICE_';

/** A Device message that maps guest addresses to themselves. */
export interface IdentityDevice {
  readonly type: 'vfio-pci-gk';
  readonly id: string;
  readonly containerPath: string;
  readonly options: string[];
  /** From the sysfs mount point: agents of 3.21 take a device only from an event they have seen. */
  readonly devpaths: string[];
}

/**
 * What an agent before 3.32 needs with a container whose PCIDEVICE_ variables have the guest's addresses already: a map
 * in which it finds them. Undefined when there is no such variable. Such an agent looks below root complex 00 only, so
 * a device behind a pxb cannot be told to it and the request is refused.
 */
export function identityDevice(sysfs: string, plan: ContainerPlan, env: readonly string[]): IdentityDevice | undefined {
  if (!env.some((entry) => entry.startsWith(PREFIX))) return undefined;
  const functions = new Map([...functionsOf(readTopology(sysfs))].map((node) => [node.address, node]));
  const nodes = [...plan.addresses].flatMap(([, guest]) => functions.get(guest) ?? []);
  const [first] = nodes;
  if (!first) return undefined;
  const hidden = nodes.find((node) => node.deviceTreePath?.rootComplex !== 0);
  if (hidden) {
    const message = `the agent behind this proxy is older than 3.32 and cannot be told of ${hidden.address}, which is not below root complex 00: use a newer one, or plug the device on pcie.0`;
    throw new AgentError('FAILED_PRECONDITION', message);
  }
  return {
    type: 'vfio-pci-gk',
    id: 'kata-mock',
    containerPath: '/dev/vfio/kata-mock',
    options: nodes.map((node) => `${node.address}=${deviceTreePathOf(node)}`),
    devpaths: nodes.map((node) => node.devpath),
  };
}
