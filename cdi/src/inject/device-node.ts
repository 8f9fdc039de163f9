import type { LinuxDevice, LinuxDeviceCgroup, Spec } from '@kata-mock/oci-spec';
import { CdiError, quote } from '../errors.ts';
import type { DeviceNode } from '../types.ts';
import { hostNode } from './host-node.ts';

/** A device node with everything the OCI spec wants. */
export interface PlannedNode {
  device: LinuxDevice;
  /** What the device cgroup has to allow; none for fifos and unbuffered nodes, as in the reference. */
  rule: LinuxDeviceCgroup | undefined;
}

/**
 * Fills in from the host what the CDI spec leaves open. A node with its type and numbers given need not exist here.
 * @throws {CdiError} INJECT
 */
export function planDeviceNode(node: DeviceNode, spec: Readonly<Spec>): PlannedNode {
  const hostPath = node.hostPath || node.path;
  const isComplete = Boolean(node.type) && (Boolean(Number(node.major ?? 0)) || node.type === 'p');
  const look = hostNode(hostPath);
  const found = typeof look === 'string' ? undefined : look;
  if (!isComplete) {
    const label = `CDI device ${quote(node.path)}:`;
    if (!found) throw new CdiError('INJECT', `${label} ${look}, and the spec gives no type and numbers to do without`);
    if (node.type && node.type !== found.type) {
      throw new CdiError('INJECT', `${label} ${hostPath} on the host has type ${found.type}, not ${node.type}`);
    }
  }

  const type = (node.type || found?.type) as LinuxDevice['type'];
  const fromHost = !isComplete && type !== 'p' && !Number(node.major ?? 0);
  const major = fromHost ? found?.major : node.major;
  const minor = fromHost ? found?.minor : node.minor;
  const { uid, gid } = spec.process?.user ?? {};
  const device: LinuxDevice = { path: node.path, type };
  if (type !== 'p' || major) device.major = major ?? 0;
  if (type !== 'p' || minor) device.minor = minor ?? 0;
  const fileMode = node.fileMode ?? found?.fileMode;
  if (fileMode !== undefined) device.fileMode = fileMode;
  if (node.uid !== undefined) device.uid = node.uid;
  else if (uid) device.uid = uid;
  if (node.gid !== undefined) device.gid = node.gid;
  else if (gid) device.gid = gid;

  return {
    device,
    rule: type === 'b' || type === 'c' ? allowRule(type, device.major, device.minor, node.permissions) : undefined,
  };
}

/** Allows access to a device: `rwm` unless told, nothing for `none`. */
export function allowRule(
  type: 'b' | 'c',
  major: LinuxDevice['major'],
  minor: LinuxDevice['minor'],
  permissions: string | undefined,
): LinuxDeviceCgroup {
  const rule: LinuxDeviceCgroup = { allow: true, type };
  if (major !== undefined) rule.major = major;
  if (minor !== undefined) rule.minor = minor;
  if (permissions !== 'none') rule.access = permissions || 'rwm';
  return rule;
}
