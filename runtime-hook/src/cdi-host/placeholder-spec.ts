import { type CdiSpec, type DeviceNode, requiredVersion } from 'cdi-spec';
import { KataMockError } from '../errors.ts';
import type { DeviceSpec } from '../inventory/device-spec.ts';

export const CDI_KIND = 'kata-mock.dev/accel';

/**
 * What the node on the host is: the null device's numbers, since there is no accelerator. The guest's agent knows the
 * entry by its path and puts the real numbers in.
 */
const PLACEHOLDER = { type: 'c', major: 1, minor: 3, fileMode: 0o666, permissions: 'rw' } as const;

/** Far above what a VM holds. */
const MOST_DEVICES = 1024;

/**
 * The CDI spec that the host's container runtime reads: each device of the kind adds a placeholder node to the OCI
 * spec, under its name, its UUID where one is given, and `all`. Names and paths are chosen as the hook chooses them.
 */
export function placeholderSpec(devices: readonly DeviceSpec[]): CdiSpec {
  const nodes = new Map<string, DeviceNode[]>();
  const add = (name: string, node: DeviceNode) => {
    if (nodes.has(name)) {
      throw new KataMockError('USAGE', `two devices would both be ${CDI_KIND}=${name}`, {
        hint: 'give each a name= and a uuid= of its own',
      });
    }
    nodes.set(name, [node]);
  };
  const total = devices.reduce((sum, device) => sum + device.count, 0);
  if (total > MOST_DEVICES) {
    throw new KataMockError('USAGE', `${total} devices are too many for one node`, { hint: `${MOST_DEVICES} at most` });
  }
  const each = devices.flatMap((device) => Array.from({ length: device.count }, () => device));
  each.forEach((device, index) => {
    const node: DeviceNode = { path: device.path ?? `/dev/mock${index}`, ...PLACEHOLDER };
    add(device.name ?? String(index), node);
    if (device.uuid !== undefined) add(device.uuid, node);
  });
  const all = [...new Map([...nodes.values()].flat().map((node) => [node.path, node])).values()];
  if (all.length < each.length) {
    throw new KataMockError('USAGE', 'two devices have the same container path', {
      hint: 'give each a path= of its own',
    });
  }
  nodes.set('all', all);
  const spec: CdiSpec = {
    cdiVersion: '',
    kind: CDI_KIND,
    devices: [...nodes].map(([name, deviceNodes]) => ({ name, containerEdits: { deviceNodes } })),
  };
  return { ...spec, cdiVersion: requiredVersion(spec).version };
}
