import type { LinuxDevice, LinuxDeviceCgroup, Spec } from '@kata-mock/oci-spec';
import { DeviceError } from '../errors.ts';
import type { DeviceNode } from '../guest/guest.ts';
import type { SpecStep } from '../steps/steps.ts';

/** The guest's node for one entry of `linux.devices`. */
export interface DeviceUpdate {
  /** Path of the entry in the spec. */
  readonly containerPath: string;
  readonly node: DeviceNode;
  /** Path the container shall see instead. */
  readonly newPath?: string | undefined;
  /** The entry's present numbers mean nothing: match no rule by them and see no conflict in them. */
  readonly isPlaceholder: boolean;
}

/**
 * Plans the edits that give a container the guest's numbers: entries of `linux.devices`, then the cgroup rules that name
 * an entry's host numbers, then one allow rule per device. Every lookup uses the original numbers, so a swap comes out
 * right. Allow rules come after the rewriting, so a fresh rule is never rewritten by accident.
 */
export function planDeviceUpdates(spec: Spec, updates: readonly DeviceUpdate[]): SpecStep[] {
  if (updates.length === 0) return [];
  refuseDoubles(updates);
  const entries = entriesByPath(spec);
  const missing = updates.filter((update) => !entries.has(update.containerPath)).map((update) => update.containerPath);
  if (missing.length > 0)
    throw new DeviceError('MISSING_IN_SPEC', `Missing devices in OCI spec: ${missing.join(', ')}`);
  const byHostNumbers = hostNumbers(updates, entries);
  return [
    ...updates.map((update) => setDevice(update, entries.get(update.containerPath) as LinuxDevice)),
    ...rewriteRules(spec.linux?.resources?.devices ?? [], byHostNumbers),
    ...updates.map(allow),
  ];
}

function refuseDoubles(updates: readonly DeviceUpdate[]): void {
  const seen = new Set<string>();
  for (const { containerPath } of updates) {
    if (seen.has(containerPath)) throw new DeviceError('CONFLICT', `Conflicting device updates for ${containerPath}`);
    seen.add(containerPath);
  }
}

function entriesByPath(spec: Spec): Map<string, LinuxDevice> {
  const entries = new Map<string, LinuxDevice>();
  // The first of several entries wins, as it does in SpecEditor.
  for (const entry of spec.linux?.devices ?? []) if (!entries.has(entry.path)) entries.set(entry.path, entry);
  return entries;
}

type Numbered = { type?: string | undefined; major?: number | bigint | undefined; minor?: number | bigint | undefined };

function keyOf({ type, major, minor }: Numbered): string {
  return `${type} ${major ?? 0}:${minor ?? 0}`;
}

function hostNumbers(updates: readonly DeviceUpdate[], entries: Map<string, LinuxDevice>): Map<string, DeviceUpdate> {
  const byNumbers = new Map<string, DeviceUpdate>();
  for (const update of updates) {
    if (update.isPlaceholder) continue;
    const { major, minor } = entries.get(update.containerPath) as LinuxDevice;
    const key = keyOf({ type: update.node.type, major, minor });
    if (byNumbers.has(key)) {
      const message = `Conflicting resource updates for host_major=${major ?? 0} host_minor=${minor ?? 0}`;
      throw new DeviceError('CONFLICT', message);
    }
    byNumbers.set(key, update);
  }
  return byNumbers;
}

function setDevice({ containerPath, node, newPath, isPlaceholder }: DeviceUpdate, entry: LinuxDevice): SpecStep {
  return {
    kind: 'set-device',
    path: containerPath,
    patch: {
      ...(newPath === undefined ? {} : { path: newPath }),
      ...(entry.type === node.type ? {} : { type: node.type }),
      major: node.major,
      minor: node.minor,
    },
    reason: isPlaceholder ? 'placeholder of the host' : 'device of the request',
  };
}

function rewriteRules(rules: readonly LinuxDeviceCgroup[], updates: Map<string, DeviceUpdate>): SpecStep[] {
  return rules.flatMap((rule, index): SpecStep[] => {
    if (rule.major === undefined || rule.minor === undefined) return [];
    const update = updates.get(keyOf(rule));
    if (!update) return [];
    const { major, minor } = update.node;
    return [{ kind: 'rewrite-rule', index, major, minor, reason: `host numbers of ${update.containerPath}` }];
  });
}

function allow({ containerPath, newPath, node }: DeviceUpdate): SpecStep {
  return {
    kind: 'add-rule',
    rule: { allow: true, type: node.type, major: node.major, minor: node.minor, access: 'rwm' },
    reason: newPath ?? containerPath,
  };
}
