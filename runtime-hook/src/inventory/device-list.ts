import { KataMockError } from '../errors.ts';
import { type DeviceSpec, defaultModel, deviceSpecFromObject, parseDeviceSpec } from './device-spec.ts';
import { quote } from './quote.ts';

/** Longest list in characters; Kubernetes bounds all annotations of an object by 256 KiB. */
const longest = 64 * 1024;

/**
 * Reads the value of annotation `io.kata-mock/devices`:
 * - a number of plain devices: `2`;
 * - SPECs separated by `;` or line ends: `mock-accel,numa=0; mock-accel,numa=1`;
 * - a JSON array of SPECs or objects with the same keys: `[{"numa": 0}, "mock-accel,numa=1"]`;
 * - `none` (or nothing): no devices, whatever the default is.
 */
export function parseDeviceList(text: string): DeviceSpec[] {
  if (text.length > longest) throw new KataMockError('USAGE', `device list is longer than ${longest} characters`);
  const trimmed = text.trim();
  if (trimmed === '' || trimmed === 'none' || /^0+$/.test(trimmed)) return [];
  if (/^[0-9]+$/.test(trimmed)) return [parseDeviceSpec(`${defaultModel},count=${trimmed}`)];
  if (trimmed.startsWith('[')) return fromJson(trimmed);
  return trimmed
    .split(/[;\n]/)
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(parseDeviceSpec);
}

function fromJson(text: string): DeviceSpec[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (cause) {
    throw new KataMockError('USAGE', `device list ${quote(text)} is not JSON: ${(cause as Error).message}`, { cause });
  }
  return (list as unknown[]).map((entry) => {
    if (typeof entry === 'string') return parseDeviceSpec(entry);
    if (typeof entry === 'object' && entry !== null && !Array.isArray(entry)) return deviceSpecFromObject(entry);
    throw new KataMockError('USAGE', `device list has the entry ${quote(JSON.stringify(entry))}`, {
      hint: 'an entry is a SPEC text or an object with its keys',
    });
  });
}
