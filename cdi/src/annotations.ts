import { CdiError, quote } from './errors.ts';
import { parseQualifiedName } from './names.ts';

/** Prefix of the container and pod annotations that ask for CDI devices. */
export const ANNOTATION_PREFIX = 'cdi.k8s.io/';

const MAX_NAME_BYTES = 63;

/** The devices that a container's annotations ask for. */
export interface RequestedDevices {
  /** Annotation keys that ask, sorted. */
  keys: string[];
  /** Qualified names in the order of the keys and, within one, as written. */
  devices: string[];
}

/**
 * Reads the devices asked for by `cdi.k8s.io/…` annotations; others are ignored. One bad name refuses everything.
 * Names are joined by commas without blanks, as the reference has it.
 * @throws {CdiError} ANNOTATION, naming the key and the fault
 */
export function parseAnnotations(annotations: Readonly<Record<string, string>> | undefined): RequestedDevices {
  const keys = Object.keys(annotations ?? {})
    .filter((key) => key.startsWith(ANNOTATION_PREFIX))
    .sort();
  const devices: string[] = [];
  for (const key of keys) {
    const value = annotations?.[key];
    if (typeof value !== 'string') throw bad(key, `the value must be text, found ${quote(value)}`);
    for (const device of value.split(',')) {
      try {
        parseQualifiedName(device);
      } catch (cause) {
        const hint = device !== device.trim() ? '; names are separated by "," alone, without blanks' : '';
        throw bad(key, `${(cause as Error).message}${hint}`, cause);
      }
      devices.push(device);
    }
  }
  return { keys, devices };
}

/**
 * Adds an annotation that asks for `devices`, in a copy. No devices: the copy is unchanged, since an empty value could
 * not be read back (`compat: 'go'` writes it all the same).
 * @throws {CdiError} ANNOTATION: key in use or invalid, bad device name
 */
export function updateAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  plugin: string,
  deviceId: string,
  devices: readonly string[],
  options: { compat?: 'go' } = {},
): Record<string, string> {
  const key = annotationKey(plugin, deviceId);
  if (annotations && Object.hasOwn(annotations, key))
    throw bad(key, 'the key is used already; choose another device id');
  const value = annotationValue(devices);
  if (devices.length === 0 && options.compat !== 'go') return { ...annotations };
  return { ...annotations, [key]: value };
}

/**
 * `cdi.k8s.io/<plugin>_<deviceId>`, "/" in the id as "_"; 63 bytes at most after the prefix.
 * @throws {CdiError} ANNOTATION
 */
export function annotationKey(plugin: string, deviceId: string): string {
  const name = `${plugin}_${deviceId.replaceAll('/', '_')}`;
  const label = `invalid annotation key ${quote(name)}:`;
  if (plugin === '') throw new CdiError('ANNOTATION', 'invalid plugin name: it is empty');
  if (deviceId === '') throw new CdiError('ANNOTATION', 'invalid device id: it is empty');
  const bytes = Buffer.byteLength(name);
  if (bytes > MAX_NAME_BYTES) {
    throw new CdiError(
      'ANNOTATION',
      `${label} ${bytes} bytes, ${MAX_NAME_BYTES} at most; shorten the plugin name or the id`,
    );
  }
  if (!/^[A-Za-z0-9]/.test(name)) throw new CdiError('ANNOTATION', `${label} it should start with a letter or digit`);
  if (!/[A-Za-z0-9]$/.test(name)) throw new CdiError('ANNOTATION', `${label} it should end with a letter or digit`);
  if (!/^[A-Za-z0-9_.-]*$/.test(name)) {
    throw new CdiError('ANNOTATION', `${label} only letters, digits, "_", "-" and "." may be in it`);
  }
  return ANNOTATION_PREFIX + name;
}

/**
 * Qualified names joined by commas.
 * @throws {CdiError} ANNOTATION on a name that is not qualified
 */
export function annotationValue(devices: readonly string[]): string {
  for (const device of devices) {
    try {
      parseQualifiedName(device);
    } catch (cause) {
      throw new CdiError('ANNOTATION', (cause as Error).message, { devices: [device], cause });
    }
  }
  return devices.join(',');
}

function bad(key: string, reason: string, cause?: unknown): CdiError {
  return new CdiError('ANNOTATION', `annotation ${quote(key)}: ${reason}`, { cause });
}
