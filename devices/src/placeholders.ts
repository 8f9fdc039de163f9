import type { Inventory } from '@kata-mock/contracts';
import type { Spec } from '@kata-mock/oci-spec';
import { DeviceError } from './errors.ts';
import type { MockDevice } from './mock-devices.ts';
import type { DeviceRequest } from './request.ts';

/** A `linux.devices` entry the host made up to say "this container wants that device", and the device meant. */
export interface Placeholder {
  readonly containerPath: string;
  readonly device: MockDevice;
}

const PLACEHOLDER_PATH = /^\/dev\/mock[0-9a-z_]+$/;

/** Paths of the `linux.devices` entries that no Device message is about: any of them may be a placeholder. */
export function unclaimedPaths(spec: Spec, requested: readonly DeviceRequest[]): string[] {
  const asked = new Set(requested.map((request) => request.containerPath));
  return (spec.linux?.devices ?? []).map((entry) => entry.path).filter((path) => !asked.has(path));
}

/**
 * Finds the placeholders among paths. Kata's shim sends no Device message for a plain character device, so the entry's
 * path is all there is; its numbers mean nothing.
 * @throws DeviceError DEVICE_NOT_FOUND when the host promised the device and it is not there: the entry as it came
 * would be some other device of the guest, most often /dev/null
 */
export function findPlaceholders(
  paths: readonly string[],
  devices: readonly MockDevice[],
  context: { readonly inventory: Inventory | undefined; warn(message: string): void },
): Placeholder[] {
  const promised = context.inventory?.devices ?? [];
  return paths.flatMap((containerPath) => {
    const index = promised.findIndex((entry) => entry.containerPath === containerPath);
    const device = devices.find((one) => (index < 0 ? one.containerPath === containerPath : one.index === index));
    if (device && (index >= 0 || PLACEHOLDER_PATH.test(containerPath))) return [{ containerPath, device }];
    if (index >= 0) throw missing(containerPath, promised[index] as (typeof promised)[0], devices);
    if (PLACEHOLDER_PATH.test(containerPath))
      context.warn(`${containerPath} is left as it came: no mock device of this VM goes by that path`);
    return [];
  });
}

function missing(
  containerPath: string,
  { uuid, hostAddress, deviceTreePath }: Inventory['devices'][0],
  devices: readonly MockDevice[],
): DeviceError {
  const there = devices.map((device) => `${device.containerPath} (${device.guestAddress})`).join(', ') || 'none';
  const message = `the device of placeholder ${containerPath} has not come: UUID ${uuid}, host address ${hostAddress}, promised at "${deviceTreePath}"; mock devices present: ${there}`;
  return new DeviceError('DEVICE_NOT_FOUND', message);
}
