import type { Spec } from '@kata-mock/oci-spec';
import { parseAnnotations } from 'cdi-spec';
import { DeviceError } from '../errors.ts';
import { parseVisibleCdiDevices, VISIBLE_CDI_DEVICES } from './visible-devices.ts';

const CONTAINER_TYPE = 'io.katacontainers.pkg.oci.container_type';

export interface CdiRequestOptions {
  /** Whether the variable VISIBLE_CDI_DEVICES counts. */
  readonly visibleCdiDevices: boolean;
}

/** Qualified names of the CDI devices a container asks for, each once; none for the pause container. */
export function requestedCdiDevices(spec: Spec, options: CdiRequestOptions): string[] {
  const annotations = spec.annotations ?? {};
  if (annotations[CONTAINER_TYPE] === 'pod_sandbox') return [];
  const names = new Set<string>(annotatedDevices(annotations));
  if (options.visibleCdiDevices) {
    for (const name of parseVisibleCdiDevices(variable(spec) ?? '')) names.add(name);
  }
  return [...names];
}

function annotatedDevices(annotations: Record<string, string>): string[] {
  try {
    return parseAnnotations(annotations).devices;
  } catch (cause) {
    throw new DeviceError('INVALID_REQUEST', `bad CDI annotation: ${(cause as Error).message}`, { cause });
  }
}

function variable(spec: Spec): string | undefined {
  const prefix = `${VISIBLE_CDI_DEVICES}=`;
  return spec.process?.env?.findLast((entry) => entry.startsWith(prefix))?.slice(prefix.length);
}
