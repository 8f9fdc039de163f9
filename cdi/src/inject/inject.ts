import path from 'node:path';
import { type Change, type Mount, type Spec, type SpecEditor, SpecError } from '@kata-mock/oci-spec';
import { CdiError } from '../errors.ts';
import type { EditSource, InjectionPlan, PlannedEdit } from './plan.ts';

/** What an injection did. */
export interface Injection {
  /** Devices injected, as asked for. */
  readonly devices: string[];
  /** Every edit with the device and file it came from. */
  readonly edits: PlannedEdit[];
  /** What that changed in the OCI spec. */
  readonly changes: readonly Change[];
  /** The OCI spec with the edits; a copy. */
  readonly spec: Spec;
}

const SLASH = 0x2f;
const DOT = 0x2e;

/** Makes the edits of a plan, all or none. */
export function inject(editor: SpecEditor, plan: InjectionPlan, isShared: boolean): Injection {
  const before = editor.changes.length;
  const edit = () => {
    for (const planned of plan.edits) {
      editor.attribute(describe(planned.from), () => apply(editor, planned));
    }
    if (plan.edits.some(({ edit }) => edit === 'mount')) editor.mounts.sort(byDepth);
  };
  try {
    // An editor of our own is thrown away on failure, so only a shared one needs to be put back.
    if (isShared) editor.transaction(edit);
    else edit();
  } catch (cause) {
    if (!(cause instanceof SpecError)) throw cause;
    throw new CdiError('INJECT', `cannot inject into this OCI spec: ${cause.message}`, {
      devices: plan.devices,
      path: cause.path,
      cause,
    });
  }
  return {
    devices: plan.devices,
    edits: plan.edits,
    changes: before === 0 ? editor.changes : editor.changes.slice(before),
    get spec() {
      // Nobody else has an editor of our own, so its spec needs no further copy.
      return isShared ? editor.result() : editor.spec;
    },
  };
}

function apply(editor: SpecEditor, planned: PlannedEdit): void {
  switch (planned.edit) {
    case 'env':
      editor.env.set(planned.name, planned.value);
      break;
    case 'deviceNode':
      editor.devices.put(planned.device);
      if (planned.rule) editor.deviceRules.add(planned.rule);
      break;
    case 'deviceCgroupRule':
      editor.deviceRules.add(planned.rule);
      break;
    case 'netDevice':
      editor.setNetDevice(planned.hostInterfaceName, { name: planned.name });
      break;
    case 'mount':
      editor.mounts.put(planned.mount);
      break;
    case 'hook':
      editor.addHook(planned.hookName, planned.hook);
      break;
    case 'intelRdt':
      editor.setIntelRdt(planned.intelRdt);
      break;
    case 'additionalGid':
      editor.addGid(planned.gid);
      break;
  }
}

function describe({ device, file, level }: EditSource): string {
  return `${device} (${level === 'spec' ? 'all devices of ' : ''}${file})`;
}

/** Mount points before what is mounted below them; "/" counts as deep as "/a", as in the reference. */
function byDepth(a: Mount, b: Mount): number {
  return depth(a) - depth(b);
}

function depth(mount: Mount | null): number {
  const destination: unknown = mount?.destination;
  if (typeof destination !== 'string') return 0;
  let slashes = 0;
  for (let at = 0; at < destination.length; at++) {
    if (destination.charCodeAt(at) !== SLASH) continue;
    const next = destination.charCodeAt(at + 1);
    // "//", "/." and a slash at the end are rare enough to be cleaned only when met.
    if (next === SLASH || next === DOT || (at > 0 && at + 1 === destination.length)) return depthOfUnclean(destination);
    slashes++;
  }
  return slashes;
}

function depthOfUnclean(destination: string): number {
  const clean = path.posix.join('/', destination, '.').replace(/(?<=.)\/$/, '');
  return clean.split('/').length - 1;
}
