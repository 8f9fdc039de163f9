import type { LinuxDeviceCgroup } from '@kata-mock/oci-spec';
import type { MockDevice } from '../mock-devices.ts';
import type { SpecStep } from '../steps/steps.ts';
import { coversNode, isGlobalRule, opens } from './rule-verdict.ts';

/** Tells every container what the VM has; nothing in a container needs it. */
const INVENTORY_DIRECTORY = '/sys/firmware/qemu_fw_cfg';

/**
 * Plans what keeps a container from the mock devices it did not ask for: their sysfs directories are masked (sysfs has
 * no namespaces), and where the spec's own rules would open them, they are denied.
 */
export function planIsolation(
  all: readonly MockDevice[],
  asked: ReadonlySet<MockDevice>,
  rules: readonly LinuxDeviceCgroup[],
): SpecStep[] {
  if (all.length === 0) return [];
  const others = all.filter((device) => !asked.has(device));
  return [
    ...denials(others, rules),
    ...others.map((device): SpecStep => ({ kind: 'mask-path', path: `/sys${device.devpath}`, reason: whose(device) })),
    { kind: 'mask-path', path: INVENTORY_DIRECTORY, reason: 'inventory of the VM' },
  ];
}

/**
 * runc cannot take one device out of a rule with wildcards ("cannot punch hole"), so such a rule goes. A rule about
 * every device at once can have exceptions.
 */
function denials(others: readonly MockDevice[], rules: readonly LinuxDeviceCgroup[]): SpecStep[] {
  const open = others.filter(({ node }) => opens(rules, node));
  const removals = rules.flatMap((rule, index): SpecStep[] => {
    const tooWide = rule.allow && !isGlobalRule(rule) && open.some(({ node }) => coversNode(rule, node));
    return tooWide ? [{ kind: 'remove-rule', index, reason: 'opens a device of others' }] : [];
  });
  const left = rules.filter(
    (_, index) => !removals.some((step) => step.kind === 'remove-rule' && step.index === index),
  );
  const denied = open.filter(({ node }) => opens(left, node));
  return [
    // From the back, so the indices of the rules before stay true.
    ...removals.reverse(),
    ...denied.map((device): SpecStep => {
      const { type, major, minor } = device.node;
      return { kind: 'add-rule', rule: { allow: false, type, major, minor, access: 'rw' }, reason: whose(device) };
    }),
  ];
}

function whose(device: MockDevice): string {
  return `${device.name} is a device of others`;
}
