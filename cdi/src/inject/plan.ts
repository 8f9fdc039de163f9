import type {
  HookName,
  LinuxDeviceCgroup,
  LinuxIntelRdt,
  Hook as OciHook,
  Mount as OciMount,
  Spec,
} from '@kata-mock/oci-spec';
import type { CdiDevice } from '../cache/device.ts';
import { CdiError } from '../errors.ts';
import type { CdiHook, CdiMount, ContainerEdits, IntelRdt } from '../types.ts';
import { type PlannedNode, planDeviceNode } from './device-node.ts';
import { expandNode, ruleOf } from './proposals.ts';

/** Where an edit comes from. */
export interface EditSource {
  /** Qualified name of the device that was asked for. */
  device: string;
  file: string;
  /** The edits of the whole spec, or of the device alone. */
  level: 'spec' | 'device';
}

/** One edit of the OCI spec, complete: nothing is left that could fail on the host's side. */
export type PlannedEdit = { from: EditSource } & (
  | { edit: 'env'; name: string; value: string }
  | ({ edit: 'deviceNode' } & PlannedNode)
  | { edit: 'deviceCgroupRule'; rule: LinuxDeviceCgroup }
  | { edit: 'netDevice'; hostInterfaceName: string; name: string }
  | { edit: 'mount'; mount: OciMount }
  | { edit: 'hook'; hookName: HookName; hook: OciHook }
  | { edit: 'intelRdt'; intelRdt: LinuxIntelRdt }
  | { edit: 'additionalGid'; gid: number }
);

/** All edits in the order in which they are made. */
export interface InjectionPlan {
  devices: string[];
  edits: PlannedEdit[];
}

/**
 * Computes the edits without making any: by kind in the reference's order, and within a kind in the order in which devices
 * were asked for, the edits of a spec before those of the first of its devices.
 * @throws {CdiError} INJECT when the host lacks what an edit needs
 */
export function planInjection(
  spec: Readonly<Spec>,
  devices: readonly CdiDevice[],
  options: { proposals: boolean },
): InjectionPlan {
  const sources = collect(devices);
  const edits: PlannedEdit[] = [];
  const inUserNamespace = hasUserNamespace(spec);
  const each = <K extends keyof ContainerEdits>(
    kind: K,
    plan: (item: NonNullable<ContainerEdits[K]> extends (infer T)[] ? T : never, from: EditSource) => void,
  ) => {
    for (const { edits: container, from } of sources) {
      for (const item of (container[kind] ?? []) as never[]) plan(item, from);
    }
  };

  each('env', (entry, from) => {
    const at = entry.indexOf('=');
    edits.push({ edit: 'env', name: entry.slice(0, at), value: entry.slice(at + 1), from });
  });
  each('deviceNodes', (node, from) => {
    attribute(from, () => {
      for (const one of options.proposals ? expandNode(node) : [node]) {
        if (options.proposals && one.path === '*') edits.push({ edit: 'deviceCgroupRule', rule: ruleOf(one), from });
        else edits.push({ edit: 'deviceNode', ...planDeviceNode(one, spec), from });
      }
    });
  });
  each('deviceCgroupRules', (rule, from) => edits.push({ edit: 'deviceCgroupRule', rule: ruleOf(rule), from }));
  each('netDevices', ({ hostInterfaceName, name }, from) =>
    edits.push({ edit: 'netDevice', hostInterfaceName, name, from }),
  );
  each('mounts', (mount, from) => edits.push({ edit: 'mount', mount: ociMount(mount, inUserNamespace), from }));
  each('hooks', (hook, from) => edits.push({ edit: 'hook', hookName: hook.hookName, hook: ociHook(hook), from }));
  for (const { edits: container, from } of sources) {
    if (container.intelRdt) edits.push({ edit: 'intelRdt', intelRdt: ociRdt(container.intelRdt), from });
  }
  each('additionalGids', (gid, from) => {
    if (gid !== 0) edits.push({ edit: 'additionalGid', gid, from });
  });
  return { devices: devices.map((device) => device.qualifiedName), edits };
}

function hasUserNamespace(spec: Readonly<Spec>): boolean {
  const namespaces: unknown = spec.linux?.namespaces;
  return Array.isArray(namespaces) && namespaces.some((namespace) => namespace?.type === 'user');
}

function collect(devices: readonly CdiDevice[]): { edits: ContainerEdits; from: EditSource }[] {
  const used = new Set<unknown>();
  return devices.flatMap((device) => {
    const { file, spec } = device.from;
    const name = device.qualifiedName;
    const own = { edits: device.spec.containerEdits, from: { device: name, file, level: 'device' as const } };
    if (used.has(spec) || !spec.containerEdits) return [own];
    used.add(spec);
    return [{ edits: spec.containerEdits, from: { device: name, file, level: 'spec' as const } }, own];
  });
}

function attribute(from: EditSource, plan: () => void): void {
  try {
    plan();
  } catch (cause) {
    if (!(cause instanceof CdiError)) throw cause;
    const message = `failed to inject ${from.device} (${from.file}): ${cause.message}`;
    throw new CdiError(cause.code, message, { devices: [from.device], file: from.file, cause });
  }
}

/** In a user namespace the files of a bind mount need the container's ids. */
function ociMount({ hostPath, containerPath, options = [], type }: CdiMount, inUserNamespace: boolean): OciMount {
  const mapped = [...options];
  if (inUserNamespace && !options.includes('idmap') && !options.includes('ridmap')) {
    if (options.includes('rbind')) mapped.push('ridmap');
    else if (options.includes('bind') || type === 'bind') mapped.push('idmap');
  }
  return {
    destination: containerPath,
    ...(type && { type }),
    source: hostPath,
    ...(mapped.length > 0 && { options: mapped }),
  };
}

function ociHook({ path, args, env, timeout }: CdiHook): OciHook {
  return {
    path,
    ...(args?.length && { args: [...args] }),
    ...(env?.length && { env: [...env] }),
    ...(timeout !== undefined && { timeout }),
  };
}

function ociRdt({ closID, schemata, l3CacheSchema, memBwSchema, enableMonitoring }: IntelRdt): LinuxIntelRdt {
  return {
    ...(closID && { closID }),
    ...(schemata?.length && { schemata: [...schemata] }),
    ...(l3CacheSchema && { l3CacheSchema }),
    ...(memBwSchema && { memBwSchema }),
    ...(enableMonitoring && { enableMonitoring }),
  };
}
