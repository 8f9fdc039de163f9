import { KataMockError } from '../errors.ts';
import { cdiNames, devicesOfCdiNames } from './cdi-names.ts';
import { parseDeviceList } from './device-list.ts';
import type { DeviceSpec } from './device-spec.ts';

/** Names the sandbox's devices; see {@link parseDeviceList} for its forms. */
export const devicesAnnotation = 'io.kata-mock/devices';

export interface SourceContext {
  annotations: Readonly<Record<string, string>>;
  /** `devices` and `[[cdi]]` of config.toml. */
  defaults: readonly DeviceSpec[];
  catalogue: readonly DeviceSpec[];
}

/** One place where a sandbox's devices may be named. */
export interface DeviceSource {
  /** For messages and the log. */
  name: string;
  /** Undefined when this source says nothing, so that the next one is asked; an empty list means no devices. */
  read(context: SourceContext): DeviceSpec[] | undefined | Promise<DeviceSpec[] | undefined>;
}

/** In the order they are asked: the first that answers decides. */
export const deviceSources: readonly DeviceSource[] = [
  {
    name: `annotation ${devicesAnnotation}`,
    read: ({ annotations }) => {
      const value = annotations[devicesAnnotation];
      return value === undefined ? undefined : parseDeviceList(value);
    },
  },
  {
    name: 'CDI annotations',
    read: ({ annotations, catalogue }) => {
      const names = cdiNames(annotations);
      return names.length === 0 ? undefined : devicesOfCdiNames(names, catalogue);
    },
  },
  {
    name: 'devices of config.toml',
    read: ({ defaults }) => (defaults.length === 0 ? undefined : [...defaults]),
  },
];

/** Asks the sources in turn. What a source cannot read fails the sandbox, with the source named. */
export async function requestedDevices(
  context: SourceContext,
  sources: readonly DeviceSource[] = deviceSources,
): Promise<{ source: string; devices: DeviceSpec[] }> {
  for (const { name, read } of sources) {
    try {
      const devices = await read(context);
      if (devices) return { source: name, devices };
    } catch (cause) {
      const { message, hint } = cause as Error & { hint?: string };
      throw new KataMockError('BAD_INPUT', `${name}: ${message}`, { cause, hint });
    }
  }
  return { source: 'nothing', devices: [] };
}
