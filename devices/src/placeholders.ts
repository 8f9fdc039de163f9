import type { Spec } from '@kata-mock/oci-spec';
import type { MockDevice } from './mock-devices.ts';
import type { DeviceRequest } from './request.ts';

/** A `linux.devices` entry the host made up to say "this container wants that device", and the device meant. */
export interface Placeholder {
  readonly containerPath: string;
  readonly device: MockDevice;
}

const PLACEHOLDER_PATH = /^\/dev\/mock[0-9a-z_]+$/;

/**
 * Finds the placeholders of a spec: entries below `/dev/mock…` for which there is a device. Kata's shim sends no Device
 * message for a plain character device, so the entry's path is all there is; its numbers mean nothing.
 */
export function findPlaceholders(
  spec: Spec,
  requested: readonly DeviceRequest[],
  devices: readonly MockDevice[],
): Placeholder[] {
  const asked = new Set(requested.map((request) => request.containerPath));
  return (spec.linux?.devices ?? []).flatMap((entry) => {
    if (asked.has(entry.path)) return [];
    const device = devices.find((candidate) => candidate.containerPath === entry.path);
    return device && isPlaceholderPath(entry.path, device) ? [{ containerPath: entry.path, device }] : [];
  });
}

/** A path the host's policy allowed in the inventory is a placeholder too, wherever it is. */
function isPlaceholderPath(path: string, device: MockDevice): boolean {
  return device.hostAddress !== undefined || PLACEHOLDER_PATH.test(path);
}
