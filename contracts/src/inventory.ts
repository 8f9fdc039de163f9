import { validateInventory } from './gen/inventory-validate.ts';

/**
 * The device inventory: what the host hook plugged into a VM, and the only thing the guest is told about it.
 *
 * It travels as JSON in the fw_cfg file {@link inventoryFwCfgName} (in the guest, with module qemu_fw_cfg:
 * `/sys/firmware/qemu_fw_cfg/by_name/opt/io.kata-mock/devices/raw`). Shape: `inventory.schema.json`. A reader ignores
 * properties it does not know; a change of meaning raises the version.
 */
export interface Inventory {
  version: 1;
  /** In the order of their index: the first is device 0. At most 256. */
  devices: InventoryDevice[];
}

export interface InventoryDevice {
  /** The 16 bytes of the UUID register in RFC 4122 text form, lower case: what the guest's sysfs shows. */
  uuid: string;
  /** PCI address the device has for software on the host, e.g. `0000:1a:00.0`. */
  hostAddress: string;
  /** Where it sits in the guest, e.g. `11/00` (root port in slot 11) or `a0/00/00` (below the pxb with root bus a0). */
  deviceTreePath: string;
  /** The guest's NUMA node; -1 for none. */
  numaNode: number;
  /** Device model, e.g. `mock-accel`. */
  model: string;
  /** Name within CDI kind {@link cdiKind}: the index as text unless the sandbox asked for another. */
  cdiName: string;
  /** Absolute path of the node in a container, e.g. `/dev/mock0`. */
  containerPath: string;
}

/** QEMU refuses fw_cfg names of users that do not start with `opt/`. */
export const inventoryFwCfgName = 'opt/io.kata-mock/devices';
/** CDI kind (vendor/class) of every mock device. */
export const cdiKind = 'kata-mock.dev/accel';
/** Longest inventory a reader takes, in bytes; 256 devices need about 100 KiB. */
export const inventoryMaxBytes = 1 << 20;

export type InventoryErrorCode =
  /** Longer than {@link inventoryMaxBytes}. */
  | 'TOO_LARGE'
  /** Not UTF-8 or not JSON. */
  | 'NOT_JSON'
  /** A version this reader does not know. */
  | 'VERSION'
  /** A property is missing or malformed. */
  | 'SCHEMA'
  /** Two devices share what identifies one. */
  | 'DUPLICATE';

export class InventoryError extends Error {
  override readonly name = 'InventoryError';
  readonly code: InventoryErrorCode;

  constructor(code: InventoryErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Reads an inventory as the guest finds it in fw_cfg. Throws {@link InventoryError}. */
export function parseInventory(bytes: Uint8Array): Inventory {
  if (bytes.byteLength > inventoryMaxBytes) {
    throw new InventoryError('TOO_LARGE', `inventory of ${bytes.byteLength} bytes is longer than ${inventoryMaxBytes}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new InventoryError('NOT_JSON', `inventory is not JSON text: ${(cause as Error).message}`, { cause });
  }
  return checkInventory(value);
}

/** Checks and copies; properties that are not of the contract are dropped. Throws {@link InventoryError}. */
export function checkInventory(value: unknown): Inventory {
  const version = (value as { version?: unknown } | null)?.version;
  if (typeof version === 'number' && version !== 1) {
    throw new InventoryError(
      'VERSION',
      `inventory has version ${version}, this program reads version 1: use a hook and a guest image of the same release`,
    );
  }
  if (!validateInventory(value)) {
    const error = validateInventory.errors?.[0];
    throw new InventoryError('SCHEMA', `inventory${error?.instancePath ?? ''} ${error?.message ?? 'is malformed'}`);
  }
  const inventory: Inventory = { version: 1, devices: (value as Inventory).devices.map(pickDevice) };
  for (const key of ['uuid', 'hostAddress', 'deviceTreePath', 'cdiName', 'containerPath'] as const) {
    checkUnique(inventory.devices, key);
  }
  return inventory;
}

/** One line of JSON with a fixed order of keys: the same inventory gives the same bytes. */
export function serializeInventory(inventory: Inventory): string {
  return JSON.stringify({ version: inventory.version, devices: inventory.devices.map(pickDevice) });
}

function pickDevice(device: InventoryDevice): InventoryDevice {
  const { uuid, hostAddress, deviceTreePath, numaNode, model, cdiName, containerPath } = device;
  return { uuid, hostAddress, deviceTreePath, numaNode, model, cdiName, containerPath };
}

function checkUnique(devices: InventoryDevice[], key: keyof InventoryDevice): void {
  const seen = new Map<unknown, number>();
  for (const [index, device] of devices.entries()) {
    const other = seen.get(device[key]);
    if (other !== undefined) {
      throw new InventoryError(
        'DUPLICATE',
        `devices ${other} and ${index} of the inventory have the same ${key} "${device[key]}"`,
      );
    }
    seen.set(device[key], index);
  }
}
