import { parseQualifiedName } from 'cdi-spec';
import { DeviceError } from '../errors.ts';

/** Variable of the container that names CDI devices, as in Kata 4.1. */
export const VISIBLE_CDI_DEVICES = 'VISIBLE_CDI_DEVICES';

/** Reads `<kind>=<all|name[,name…]>[:<kind>=…]` into qualified names. @throws DeviceError INVALID_REQUEST */
export function parseVisibleCdiDevices(value: string): string[] {
  if (value === '') return [];
  return value.split(':').flatMap((group) => {
    const at = group.indexOf('=');
    if (at < 0) throw invalid(value, `"${group}" has no "="`);
    const kind = group.slice(0, at);
    return group
      .slice(at + 1)
      .split(',')
      .map((device) => qualified(value, `${kind}=${device}`));
  });
}

function qualified(value: string, name: string): string {
  try {
    parseQualifiedName(name);
    return name;
  } catch (cause) {
    throw invalid(value, (cause as Error).message);
  }
}

function invalid(value: string, why: string): DeviceError {
  const message = `invalid ${VISIBLE_CDI_DEVICES} ${JSON.stringify(value)}: ${why}; expected KIND=NAME[,NAME…][:KIND=…]`;
  return new DeviceError('INVALID_REQUEST', message);
}
