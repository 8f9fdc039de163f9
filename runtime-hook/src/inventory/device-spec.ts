import { KataMockError } from '../errors.ts';
import { deviceKeys, findKey } from './device-keys.ts';
import { quote } from './quote.ts';

/** One wish for devices, as the command line, an annotation and config.toml write it. Everything but the model may be open. */
export interface DeviceSpec {
  /** Device model; whether it exists and is allowed is the policy's business. */
  model: string;
  /** How many alike; at least 1. */
  count: number;
  /** In RFC 4122 text form, lower case. */
  uuid?: string | undefined;
  /** Bytes. */
  memory?: bigint | undefined;
  /** Guest NUMA node, 0 or more. */
  numa?: number | undefined;
  /** Host PCI address, e.g. `0000:1a:00.0`. */
  host?: string | undefined;
  /** Path of the node in containers. */
  path?: string | undefined;
  /** Where in the guest: a root port of the first root complex, or one below an expander bus of its own. */
  bus?: 'root-port' | 'pxb' | undefined;
  /** Name within CDI kind kata-mock.dev/accel. */
  name?: string | undefined;
}

export const defaultModel = 'mock-accel';
/** Memory size of a device that names none, bytes: the physical function's default. */
export const defaultMemory = 16n << 30n;
/** Longest SPEC in characters. */
const longest = 1024;

/**
 * Reads `mock-accel,uuid=…,memory=16G,numa=1,host=0000:1a:00.0,path=/dev/mock0`: the model, which may be left out, and
 * then keys in any order. Throws a KataMockError with code USAGE that quotes the part it cannot take.
 */
export function parseDeviceSpec(text: string): DeviceSpec {
  if (text.length > longest) throw wrong(text, `it is longer than ${longest} characters`);
  const spec: DeviceSpec = { model: defaultModel, count: 1 };
  const seen = new Set<string>();
  for (const [position, part] of text.trim().split(',').entries()) {
    const equals = part.indexOf('=');
    if (equals < 0 && position > 0) throw wrong(text, `${quote(part)} is not of the form key=value`);
    if (part === '' && position === 0) throw wrong(text, 'it is empty', 'write for example mock-accel,numa=1');
    const name = equals < 0 ? 'model' : part.slice(0, equals);
    setKey(spec, text, name, part.slice(equals + 1), seen);
  }
  return checkDeviceSpec(spec, text);
}

/** The same from a JSON object or a TOML table: `{ "model": "mock-accel", "numa": 1, "memory": "16G" }`. */
export function deviceSpecFromObject(value: object): DeviceSpec {
  const spec: DeviceSpec = { model: defaultModel, count: 1 };
  const text = JSON.stringify(value);
  const seen = new Set<string>();
  for (const [name, raw] of Object.entries(value)) {
    if (typeof raw !== 'string' && typeof raw !== 'number')
      throw wrong(text, `${quote(name)} is not a text or a number`);
    setKey(spec, text, name, String(raw), seen);
  }
  return checkDeviceSpec(spec, text);
}

/** Text that {@link parseDeviceSpec} reads back as the same spec. */
export function formatDeviceSpec(spec: DeviceSpec): string {
  const parts = [spec.model];
  for (const key of deviceKeys) {
    const value = key.format(spec);
    if (key.name !== 'model' && value !== undefined) parts.push(`${key.name}=${value}`);
  }
  return parts.join(',');
}

function setKey(spec: DeviceSpec, text: string, name: string, value: string, seen: Set<string>): void {
  const key = findKey(name);
  if (!key) {
    throw wrong(text, `there is no key ${quote(name)}`, `keys: ${deviceKeys.map((known) => known.name).join(', ')}`);
  }
  if (seen.has(name)) throw wrong(text, `${name}= is given twice`);
  seen.add(name);
  try {
    key.set(spec, value);
  } catch (error) {
    const { message, hint } = error as KataMockError;
    throw wrong(text, message, hint);
  }
}

function checkDeviceSpec(spec: DeviceSpec, text: string): DeviceSpec {
  if (spec.numa !== undefined && spec.bus === 'root-port') {
    throw wrong(text, 'a root port of the first root complex has no NUMA node of its own', 'leave out bus=, or numa=');
  }
  const single = (['uuid', 'host', 'path', 'name'] as const).find((key) => spec[key] !== undefined);
  if (spec.count > 1 && single) {
    throw wrong(
      text,
      `count=${spec.count} devices cannot all have the same ${single}`,
      `leave out count=, or ${single}=`,
    );
  }
  return spec;
}

function wrong(text: string, reason: string, hint?: string): KataMockError {
  return new KataMockError('USAGE', `device ${quote(text)}: ${reason}`, { hint });
}
