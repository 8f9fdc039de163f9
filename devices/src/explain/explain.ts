import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Spec, SpecEditor } from '@kata-mock/oci-spec';
import { Cache, writeSpec } from 'cdi-spec';
import { guestCdiSpec, withoutHostNodes } from '../cdi/guest-spec.ts';
import { injectCdi } from '../cdi/inject.ts';
import { findNodes, isNodeThere, placeholderUpdates } from '../nodes.ts';
import { type ContainerPlan, type PlanContext, type PlannedDevice, planContainer } from '../plan.ts';
import type { ContainerRequest } from '../request.ts';
import { applySpecSteps } from '../spec/apply.ts';
import type { DeviceUpdate } from '../spec/device-updates.ts';
import { planSpec } from '../spec/plan-spec.ts';
import type { GuestStep, SpecStep } from '../steps/steps.ts';

/** What the agent would do with a request, as data. */
export interface Explanation {
  readonly containerId: string;
  readonly devices: readonly ExplainedDevice[];
  /** Host to guest addresses of the container. */
  readonly addresses: Readonly<Record<string, string>>;
  readonly guestSteps: readonly GuestStep[];
  readonly specSteps: readonly SpecStep[];
  readonly cdiDevices: readonly string[];
  /** Nodes that would appear only after the guest steps, so their numbers are not known. */
  readonly pending: readonly string[];
  readonly warnings: readonly string[];
  /** The spec as the container would get it; absent when an error ended the planning. */
  readonly spec?: Spec;
  readonly error?: { readonly code: string; readonly message: string };
}

export interface ExplainedDevice {
  readonly containerPath: string;
  readonly type: string;
  /** `c 240:1`; absent for devices without a node and for pending ones. */
  readonly node?: string;
  readonly addresses: readonly (readonly [host: string, guest: string])[];
}

export interface ExplainContext extends Omit<PlanContext, 'warn'> {
  /** Directory of CDI specs in the guest that is looked at; the generated one of the mock devices is added. */
  readonly cdiDirectory: string;
}

/** Runs the agent's own planning without doing anything to the guest. */
export async function explainRequest(context: ExplainContext, request: ContainerRequest): Promise<Explanation> {
  const warnings: string[] = [];
  const planContext: PlanContext = { ...context, warn: (message) => warnings.push(message) };
  let plan: ContainerPlan | undefined;
  const pending: string[] = [];
  let specSteps: SpecStep[] = [];
  let updates: DeviceUpdate[] = [];
  const base = () => describePlan(request.containerId, plan, updates, { pending, specSteps, warnings });
  try {
    plan = await planContainer(planContext, request);
    const isPending = ({ node, guestSteps }: PlannedDevice) =>
      node !== undefined && guestSteps.length > 0 && !isNodeThere(context.guest, node);
    pending.push(...plan.devices.filter(isPending).map(({ request }) => request.containerPath));
    const present = plan.devices.filter((device) => !isPending(device));
    updates = [...(await findNodes(planContext, present)), ...placeholderUpdates(plan)];
    specSteps = planSpec(planContext, request.spec, plan, updates);
    const editor = new SpecEditor(request.spec);
    applySpecSteps(editor, specSteps);
    await injectFrom(context, plan, editor);
    return { ...base(), spec: editor.result() };
  } catch (error) {
    const { code = 'INTERNAL', message } = error as Error & { code?: string };
    return { ...base(), error: { code, message } };
  }
}

async function injectFrom(context: ExplainContext, plan: ContainerPlan, editor: SpecEditor): Promise<void> {
  const generated = mkdtempSync(path.join(tmpdir(), 'explain-cdi-'));
  try {
    const spec = guestCdiSpec(plan.mockDevices);
    if (spec) writeSpec(generated, 'kata-mock.json', withoutHostNodes(spec));
    const cache = new Cache({ specDirs: [generated, context.cdiDirectory], autoRefresh: false });
    const { settings, signal } = context;
    const timeoutMs = settings.cdiTimeoutMs;
    await injectCdi(cache, editor, plan.cdiDevices, { specDirectory: context.cdiDirectory, timeoutMs, signal });
  } finally {
    rmSync(generated, { recursive: true, force: true });
  }
}

function describePlan(
  containerId: string,
  plan: ContainerPlan | undefined,
  updates: readonly DeviceUpdate[],
  rest: Pick<Explanation, 'pending' | 'specSteps' | 'warnings'>,
): Explanation {
  const nodeAt = new Map(
    updates.map(({ containerPath, node }) => [containerPath, `${node.type} ${node.major}:${node.minor}`]),
  );
  const describe = (containerPath: string, type: string, addresses: ExplainedDevice['addresses']): ExplainedDevice => {
    const node = nodeAt.get(containerPath);
    return { containerPath, type, ...(node === undefined ? {} : { node }), addresses };
  };
  return {
    containerId,
    devices: [
      ...(plan?.devices ?? []).map(({ request, addresses }) =>
        describe(request.containerPath, request.type, addresses),
      ),
      ...(plan?.placeholders ?? []).map(({ containerPath, device }) =>
        describe(containerPath, 'placeholder', [[device.hostAddress ?? '-', device.guestAddress]]),
      ),
    ],
    addresses: Object.fromEntries(plan?.addresses ?? []),
    guestSteps: plan?.guestSteps ?? [],
    cdiDevices: plan?.cdiDevices ?? [],
    ...rest,
  };
}
