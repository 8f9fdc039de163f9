import type { LinuxDeviceCgroup } from '@kata-mock/oci-spec';
import type { DeviceNode } from '../guest/guest.ts';

const isAny = (number: number | bigint | undefined) => number === undefined || Number(number) === -1;
const isEveryType = (type: string | undefined) => type === undefined || type === '' || type === 'a';

/** A rule about every device: it replaces whatever was said before. */
export function isGlobalRule(rule: LinuxDeviceCgroup): boolean {
  return isEveryType(rule.type) && isAny(rule.major) && isAny(rule.minor);
}

/** Whether a rule speaks about reading or writing this device. */
export function coversNode(rule: LinuxDeviceCgroup, node: DeviceNode): boolean {
  if (!/[rw]/.test(rule.access ?? '')) return false;
  if (!isEveryType(rule.type) && rule.type !== node.type) return false;
  const matches = (asked: number | bigint | undefined, number: number) => isAny(asked) || Number(asked) === number;
  return matches(rule.major, node.major) && matches(rule.minor, node.minor);
}

/** Whether rules that start from "deny" let a process open the node; later rules win. */
export function opens(rules: readonly LinuxDeviceCgroup[], node: DeviceNode): boolean {
  let verdict = false;
  for (const rule of rules) if (coversNode(rule, node)) verdict = rule.allow;
  return verdict;
}
