import { SpecEditor } from '@kata-mock/oci-spec';
import type { Cache } from 'cdi-spec';
import { injectCdi } from './cdi/inject.ts';
import type { MockDevice } from './mock-devices.ts';
import { findNodes, placeholderUpdates } from './nodes.ts';
import { type ContainerPlan, type PlanContext, planContainer } from './plan.ts';
import type { ContainerRequest } from './request.ts';
import { applySpecSteps } from './spec/apply.ts';
import { planSpec } from './spec/plan-spec.ts';
import { runGuestSteps, type UndoGuestSteps } from './steps/run-guest-steps.ts';

/** Guest directory of CDI specs. */
export const GUEST_CDI_DIRECTORY = '/var/run/cdi';

/** Where CDI names are looked up. */
export interface GuestCdiSpecs {
  readonly cache: Cache;
  readonly specDirectory: string;
  /** Makes the spec of the mock devices one of these, before a name is looked up in it. */
  ensure?(devices: readonly MockDevice[]): void;
}

export interface HandleContext extends PlanContext {
  readonly cdi: GuestCdiSpecs;
}

export interface HandledDevices {
  readonly editor: SpecEditor;
  readonly plan: ContainerPlan;
  /** Gives functions back to the drivers they had, for when the container comes to nothing after all. */
  readonly undo: UndoGuestSteps;
}

/**
 * All device handling of one CreateContainer: plan, guest steps, spec, CDI. The spec of the request is not touched; the
 * result is in the editor. When it throws, drivers are bound as before.
 */
export async function handleDevices(context: HandleContext, request: ContainerRequest): Promise<HandledDevices> {
  const plan = await planContainer(context, request);
  const undo = await runGuestSteps(context.guest, plan.guestSteps);
  try {
    const updates = [...(await findNodes(context, plan.devices)), ...placeholderUpdates(plan)];
    const editor = new SpecEditor(request.spec);
    applySpecSteps(editor, planSpec(context, request.spec, plan, updates));
    if (plan.cdiDevices.length > 0) context.cdi.ensure?.(plan.mockDevices);
    await injectCdi(context.cdi.cache, editor, plan.cdiDevices, {
      specDirectory: context.cdi.specDirectory,
      timeoutMs: context.settings.cdiTimeoutMs,
      signal: context.signal,
    });
    return { editor, plan, undo };
  } catch (error) {
    await undo();
    throw error;
  }
}
