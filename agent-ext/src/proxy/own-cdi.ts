import { cdiKind } from '@kata-mock/contracts';
import { type DeviceSettings, VISIBLE_CDI_DEVICES } from '@kata-mock/devices';
import type { Spec } from '@kata-mock/oci-spec';

const PREFIX = 'cdi.k8s.io/';
const VARIABLE = `${VISIBLE_CDI_DEVICES}=`;

type Strings = Readonly<Record<string, string>>;

/** The spec as this agent handles it: without the CDI names that are another's business. */
export function withOwnCdi(spec: Spec, { visibleCdiDevices }: Pick<DeviceSettings, 'visibleCdiDevices'>): Spec {
  const { annotations, process } = spec;
  return {
    ...spec,
    ...(annotations ? { annotations: keepNames(annotations, isOwnName) } : {}),
    ...(process?.env && visibleCdiDevices ? { process: { ...process, env: process.env.map(ownVariable) } } : {}),
  };
}

/** The annotations as the agent behind gets them: without our own kind. */
export function othersAnnotations(annotations: Strings): Record<string, string> {
  return keepNames(annotations, (name) => !isOwnName(name));
}

/**
 * The variables as the agent behind gets them: VISIBLE_CDI_DEVICES as it was, but without our own kind. It is still
 * where it was, since device handling appends.
 * @param handled what device handling made of {@link withOwnCdi}'s
 * @param original the request's
 */
export function othersVariables(
  handled: readonly string[],
  original: readonly string[],
  { visibleCdiDevices }: Pick<DeviceSettings, 'visibleCdiDevices'>,
): string[] {
  if (!visibleCdiDevices) return [...handled];
  return handled.flatMap((entry, index) => {
    const before = original[index];
    if (!before?.startsWith(VARIABLE)) return [entry];
    const others = keepGroups(before, (group) => !isOwnName(group));
    return others === VARIABLE && before !== VARIABLE ? [] : [others];
  });
}

function ownVariable(entry: string): string {
  return entry.startsWith(VARIABLE) ? keepGroups(entry, isOwnName) : entry;
}

/** One group a kind: `VISIBLE_CDI_DEVICES=<kind>=<names>:<kind>=<names>`. */
function keepGroups(entry: string, keep: (group: string) => boolean): string {
  return VARIABLE + entry.slice(VARIABLE.length).split(':').filter(keep).join(':');
}

function keepNames(annotations: Strings, keep: (name: string) => boolean): Record<string, string> {
  return Object.fromEntries(
    Object.entries(annotations).flatMap(([key, value]) => {
      if (!key.startsWith(PREFIX)) return [[key, value]];
      const kept = value.split(',').filter(keep);
      return kept.length > 0 ? [[key, kept.join(',')]] : [];
    }),
  );
}

function isOwnName(name: string): boolean {
  return name.startsWith(`${cdiKind}=`);
}
