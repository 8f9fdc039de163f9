import type { CdiSpec, ContainerEdits } from './types.ts';

/** Released versions, oldest first. Comparison is by place in this list: `0.3` is not a version. */
export const VERSIONS = [
  '0.1.0',
  '0.2.0',
  '0.3.0',
  '0.4.0',
  '0.5.0',
  '0.6.0',
  '0.7.0',
  '0.8.0',
  '1.0.0',
  '1.1.0',
] as const;

/** The version that specs of this library are written in. */
export const CURRENT_VERSION = '1.1.0';

/** What the proposals for the next version will need; known only when they are switched on. */
export const PROPOSED_VERSION = '1.2.0';

/** The least version, and what in the spec needs it. */
export interface RequiredVersion {
  version: string;
  /** Empty for the floor, 0.3.0. */
  because: string;
}

/** When a version is needed, newest first. */
const rules: {
  version: string;
  because: string;
  spec?: (spec: CdiSpec) => boolean;
  edits?: (edits: ContainerEdits) => boolean;
}[] = [
  {
    version: PROPOSED_VERSION,
    because: 'deviceCgroupRules, or a device node path with a wildcard',
    edits: (edits) =>
      Boolean(edits.deviceCgroupRules?.length || edits.deviceNodes?.some((node) => node.path?.includes('*'))),
  },
  {
    version: '1.1.0',
    because: 'netDevices, intelRdt.schemata or intelRdt.enableMonitoring',
    edits: ({ netDevices, intelRdt }) =>
      Boolean(netDevices?.length || intelRdt?.schemata || intelRdt?.enableMonitoring),
  },
  {
    version: '0.7.0',
    because: 'intelRdt or additionalGids',
    edits: ({ intelRdt, additionalGids }) => Boolean(intelRdt || additionalGids?.length),
  },
  {
    version: '0.6.0',
    because: 'annotations, or a "." in the class',
    spec: (spec) =>
      spec.kind.slice(spec.kind.indexOf('/') + 1).includes('.') ||
      hasMembers(spec.annotations) ||
      spec.devices.some((device) => hasMembers(device.annotations)),
  },
  {
    version: '0.5.0',
    because: 'a hostPath of a device node, or a device name that starts with a digit',
    spec: (spec) => spec.devices.some((device) => /^[0-9]/.test(device.name)),
    edits: (edits) => Boolean(edits.deviceNodes?.some((node) => node.hostPath)),
  },
  {
    version: '0.4.0',
    because: 'the type of a mount',
    edits: (edits) => Boolean(edits.mounts?.some((mount) => mount.type)),
  },
];

/**
 * The least version a spec may declare.
 * @param proposals whether a "*" in a path means the proposed wildcard
 */
export function requiredVersion(spec: CdiSpec, proposals = false): RequiredVersion {
  for (const rule of rules) {
    if (rule.version === PROPOSED_VERSION && !proposals) continue;
    if (rule.spec?.(spec)) return rule;
    if (!rule.edits) continue;
    if (spec.containerEdits && rule.edits(spec.containerEdits)) return rule;
    for (const device of spec.devices) if (rule.edits(device.containerEdits)) return rule;
  }
  return { version: '0.3.0', because: '' };
}

/** Place in the list of versions, -1 if it is none. One leading "v" does not count. */
export function versionIndex(version: string, proposals = false): number {
  const plain = version.startsWith('v') ? version.slice(1) : version;
  if (proposals && plain === PROPOSED_VERSION) return VERSIONS.length;
  return (VERSIONS as readonly string[]).indexOf(plain);
}

function hasMembers(object: object | undefined): boolean {
  for (const _ in object) return true;
  return false;
}
