import { cdiKind } from '@kata-mock/contracts';
import type { Spec } from '@kata-mock/oci-spec';

const PREFIX = 'cdi.k8s.io/';

/** The annotations split by who serves them: our own kind here, every other by the agent behind. */
export function splitCdiAnnotations(annotations: Readonly<Record<string, string>>): {
  own: Record<string, string>;
  others: Record<string, string>;
} {
  const own: Record<string, string> = {};
  const others: Record<string, string> = {};
  for (const [key, value] of Object.entries(annotations)) {
    if (!key.startsWith(PREFIX)) {
      own[key] = value;
      others[key] = value;
      continue;
    }
    const names = value.split(',');
    const isOwn = (name: string) => name.startsWith(`${cdiKind}=`);
    if (names.some(isOwn)) own[key] = names.filter(isOwn).join(',');
    if (names.some((name) => !isOwn(name))) others[key] = names.filter((name) => !isOwn(name)).join(',');
  }
  return { own, others };
}

/** The spec as this agent handles it: without the CDI names that are another's business. */
export function withOwnCdi(spec: Spec): Spec {
  return spec.annotations ? { ...spec, annotations: splitCdiAnnotations(spec.annotations).own } : spec;
}
