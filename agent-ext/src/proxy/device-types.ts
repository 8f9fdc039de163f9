import type { CreateContainerRequest } from '@kata-mock/contracts';
import type { DeviceRequest } from '@kata-mock/devices';
import { AgentError } from '../errors.ts';
import type { AgentVersion } from './agent-version.ts';

/** Device types this proxy handles itself; the rest are the other agent's. */
export const OWN_TYPES: ReadonlySet<string> = new Set(['mock-accel', 'vfio-pci-gk']);

/**
 * The devices as this agent handles them. Functions for VFIO are the other agent's to bind, but their addresses are in
 * variables beside those of ours, so all of a container's addresses go into one map here.
 */
export function ownDevices(devices: readonly DeviceRequest[]): DeviceRequest[] {
  return devices.flatMap((device) => {
    if (OWN_TYPES.has(device.type)) return [device];
    return device.type === 'vfio-pci' ? [{ ...device, type: 'vfio-pci-gk' }] : [];
  });
}

/** What Kata's agents up to 4.1 take; they do not report it. */
const KATA_TYPES = [
  'blk',
  'blk-ccw',
  'mmioblk',
  'scsi',
  'nvdimm',
  'vfio-pci',
  'vfio-pci-gk',
  'vfio-ap',
  'vfio-ap-cold',
];

/** What an agent says of itself. */
export interface AgentDetails {
  readonly version: AgentVersion | undefined;
  /** Empty when it does not say. */
  readonly deviceTypes: readonly string[];
}

/**
 * Refuses a device that neither this proxy nor the agent behind it knows, so that the error names both. A newer agent
 * that does not say what it takes judges for itself.
 * @param details asked only when there is a type that not every agent takes
 */
export async function refuseUnknownTypes(
  { devices }: CreateContainerRequest,
  details: () => Promise<AgentDetails>,
): Promise<void> {
  const unusual = devices.map(({ type }) => type).filter((type) => !OWN_TYPES.has(type) && !KATA_TYPES.includes(type));
  if (unusual.length === 0) return;
  const { version, deviceTypes } = await details();
  const known = deviceTypes.length > 0 ? deviceTypes : isKnown(version) ? KATA_TYPES : unusual;
  const unknown = unusual.find((type) => !known.includes(type));
  if (unknown === undefined) return;
  const all = [...new Set([...OWN_TYPES, ...known])].join(', ');
  const message = `Failed to find the device handler "${unknown}": neither this proxy nor the agent behind it has one; known types: ${all}`;
  throw new AgentError('INVALID_ARGUMENT', message);
}

function isKnown(version: AgentVersion | undefined): boolean {
  return version !== undefined && (version.major < 4 || (version.major === 4 && version.minor <= 1));
}
