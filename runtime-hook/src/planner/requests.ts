import { KataMockError } from '../errors.ts';
import { type DeviceSpec, defaultMemory } from '../inventory/device-spec.ts';
import { derivedUuid } from '../inventory/uuid.ts';

/** A device with everything decided but its place in the guest. */
export interface RequestedDevice {
  index: number;
  model: string;
  uuid: string;
  /** Bytes. */
  memory: bigint;
  /** -1 for none. */
  numaNode: number;
  bus: 'root-port' | 'pxb';
  hostAddress: string;
  containerPath: string;
  cdiName: string;
}

export interface RequestInput {
  /** One entry a device (count 1), in the order of their index. */
  devices: readonly DeviceSpec[];
  /** Addresses leased for the devices without `host=`, in order. */
  leasedAddresses: readonly string[];
  /** What generated UUIDs derive from: the same parts give the same UUIDs. */
  uuidSeed: readonly string[];
}

/** How many host addresses must be leased for these devices. */
export function addressesToLease(devices: readonly DeviceSpec[]): number {
  return devices.filter((device) => device.host === undefined).length;
}

/** Fills in what the specs leave open and refuses two devices that could not be told apart. */
export function requestDevices({ devices, leasedAddresses, uuidSeed }: RequestInput): RequestedDevice[] {
  const leased = leasedAddresses.values();
  const names = new FreeNumbers(devices.map((device) => device.name));
  const paths = new FreeNumbers(devices.map((device) => /^\/dev\/mock([0-9]+)$/.exec(device.path ?? '')?.[1]));
  const requested = devices.map((device, index): RequestedDevice => {
    const hostAddress = device.host ?? leased.next().value;
    if (hostAddress === undefined) throw new RangeError(`no host address was leased for device ${index}`);
    return {
      index,
      model: device.model,
      uuid: device.uuid ?? derivedUuid(...uuidSeed, String(index)),
      memory: device.memory ?? defaultMemory,
      numaNode: device.numa ?? -1,
      bus: device.bus ?? (device.numa === undefined ? 'root-port' : 'pxb'),
      hostAddress,
      containerPath: device.path ?? `/dev/mock${paths.take(index)}`,
      cdiName: device.name ?? names.take(index),
    };
  });
  refuseDuplicates(requested, 'UUID', (device) => device.uuid);
  refuseDuplicates(requested, 'host address', (device) => device.hostAddress);
  refuseDuplicates(requested, 'container path', (device) => device.containerPath);
  refuseDuplicates(requested, 'CDI name', (device) => device.cdiName);
  return requested;
}

/** Numbers that no explicit name takes; a device gets its index when that is free. */
class FreeNumbers {
  readonly #taken: Set<string>;

  constructor(given: (string | undefined)[]) {
    this.#taken = new Set(given.filter((name) => name !== undefined));
  }

  take(index: number): string {
    let number = index;
    if (this.#taken.has(String(number))) for (number = 0; this.#taken.has(String(number)); ) number++;
    this.#taken.add(String(number));
    return String(number);
  }
}

function refuseDuplicates(devices: RequestedDevice[], what: string, key: (device: RequestedDevice) => string): void {
  const seen = new Map<string, number>();
  for (const device of devices) {
    const other = seen.get(key(device));
    if (other !== undefined) {
      throw new KataMockError('USAGE', `devices ${other} and ${device.index} have the same ${what} "${key(device)}"`, {
        hint: `give each device its own ${what}, or leave it out`,
      });
    }
    seen.set(key(device), device.index);
  }
}
