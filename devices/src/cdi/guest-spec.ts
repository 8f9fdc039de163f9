import { cdiKind } from '@kata-mock/contracts';
import type { CdiDeviceSpec, CdiSpec, ContainerEdits } from 'cdi-spec';
import type { MockDevice } from '../mock-devices.ts';
import { cdiNamesOf } from './asked-devices.ts';

/** First version with host paths of nodes and with names that start with a digit is 0.5.0. */
const CDI_VERSION = '0.6.0';

/**
 * The CDI spec of the guest's mock devices, for `/var/run/cdi/kata-mock.json`: each by index, by UUID and by the name
 * the sandbox gave it, and `all`. Undefined without devices, since a spec needs one.
 */
export function guestCdiSpec(devices: readonly MockDevice[]): CdiSpec | undefined {
  if (devices.length === 0) return undefined;
  const named = devices.flatMap((device) =>
    cdiNamesOf(device).map((name): CdiDeviceSpec => ({ name, containerEdits: editsFor([device]) })),
  );
  return {
    cdiVersion: CDI_VERSION,
    kind: cdiKind,
    devices: [...named, { name: 'all', containerEdits: editsFor(devices) }],
  };
}

function editsFor(devices: readonly MockDevice[]): ContainerEdits {
  return {
    env: devices.map((device) => `KATA_MOCK_ACCEL_${device.index}=${device.uuid}`),
    deviceNodes: devices.map(({ containerPath, nodePath, node }) => ({
      path: containerPath,
      hostPath: nodePath,
      type: node.type,
      major: node.major,
      minor: node.minor,
      fileMode: 0o666,
      permissions: 'rwm',
    })),
    mounts: devices.map(({ classDevpath }) => ({
      hostPath: `/sys${classDevpath}`,
      containerPath: `/sys${classDevpath}`,
      options: ['ro', 'bind', 'nosuid', 'nodev', 'noexec'],
    })),
  };
}

/** For trees that are not the running machine: the CDI library would look at this machine's nodes. */
export function withoutHostNodes(spec: CdiSpec): CdiSpec {
  const copy = structuredClone(spec);
  for (const device of copy.devices) for (const node of device.containerEdits.deviceNodes ?? []) delete node.hostPath;
  return copy;
}
