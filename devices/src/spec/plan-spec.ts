import type { Spec } from '@kata-mock/oci-spec';
import { DeviceError } from '../errors.ts';
import type { ContainerPlan, PlanContext } from '../plan.ts';
import type { SpecStep } from '../steps/steps.ts';
import { type DeviceUpdate, planDeviceUpdates } from './device-updates.ts';
import { planEnvironment } from './environment.ts';
import { planIsolation } from './isolation.ts';

/** All edits of a container's spec, in order: nodes, rules, isolation, environment. Pure. */
export function planSpec(
  context: PlanContext,
  spec: Spec,
  plan: ContainerPlan,
  updates: readonly DeviceUpdate[],
): SpecStep[] {
  if (updates.length > 0 && !spec.linux) {
    throw new DeviceError('MISSING_IN_SPEC', 'Missing devices in OCI spec: it has no "linux" member');
  }
  const forDevices = planDeviceUpdates(spec, updates);
  const isOwnRule = (step: SpecStep) => step.kind === 'add-rule';
  return [
    ...forDevices.filter((step) => !isOwnRule(step)),
    // Denials go by the rules as they came and before our own, which name other numbers.
    ...planIsolation(plan.mockDevices, plan.asked, spec.linux?.resources?.devices ?? []),
    ...forDevices.filter(isOwnRule),
    ...planEnvironment(spec.process?.env ?? [], plan.addresses, {
      containerId: plan.containerId,
      untranslated: context.settings.untranslated,
      warn: (message) => context.warn(message),
    }),
  ];
}
