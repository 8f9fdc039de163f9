import type { Inventory, InventoryDevice } from '@kata-mock/contracts';
import type { VmStart } from '../argv/vm-start.ts';
import { KataMockError } from '../errors.ts';
import { deviceArguments, inventoryArguments, rootImageArguments, topologyArguments } from './arguments.ts';
import { type ExtraNode, extraNodes } from './numa.ts';
import { type RequestedDevice, type RequestInput, requestDevices } from './requests.ts';
import { type Expander, placeDevices, type RootPort } from './topology.ts';

export interface PlanInput extends RequestInput {
  start: VmStart;
  /** Directory of the device sockets `d0.sock`, …; at most 107 bytes with the name. */
  socketDirectory: string;
  /** File of the guest's root image; none when the VM brings its own. */
  rootImage?: string | undefined;
}

export interface PlannedDevice extends RequestedDevice {
  /** Id of the function in QEMU and in the device host: `kata-mock-d0`. */
  id: string;
  port: RootPort;
  deviceTreePath: string;
  socketPath: string;
}

/** Everything the hook adds to a VM. The same input gives the same plan, byte for byte. */
export interface Plan {
  devices: PlannedDevice[];
  expanders: Expander[];
  extraNodes: ExtraNode[];
  inventory: Inventory;
  /** To append to the VM's own arguments. */
  args: string[];
}

/** Longest path of a unix socket in bytes; sun_path has 108 with its NUL. */
const longestSocketPath = 107;

export function planDevices(input: PlanInput): Plan {
  const { start, socketDirectory, rootImage } = input;
  const adds = input.devices.length > 0 || rootImage !== undefined;
  if (adds && !/^(pc-)?q35(-|$)/.test(start.machine)) {
    throw new KataMockError('BAD_INPUT', `machine "${start.machine}" has no PCI Express root complex to add to`, {
      hint: 'set machine_type = "q35"',
    });
  }
  const prefix = freePrefix(start.ids);
  const requested = requestDevices(input);
  const topology = placeDevices(requested, start, prefix, rootImage !== undefined);
  const nodes = extraNodes(requested, topology, start, prefix);
  const devices = requested.map((device): PlannedDevice => {
    const port = topology.ports[device.index] as RootPort;
    const id = `${prefix}-d${device.index}`;
    const socketPath = checkSocketPath(`${socketDirectory}/d${device.index}.sock`);
    return { ...device, id, port, deviceTreePath: port.deviceTreePath, socketPath };
  });
  const inventory: Inventory = { version: 1, devices: devices.map(inventoryDevice) };
  const args = [
    ...topologyArguments(topology, nodes),
    ...devices.flatMap((device) =>
      deviceArguments({ id: device.id, port: device.port.id, socketPath: device.socketPath }),
    ),
    ...(devices.length > 0 ? inventoryArguments(inventory) : []),
    ...(rootImage !== undefined && topology.rootImageSlot !== undefined
      ? rootImageArguments(rootImage, topology.rootImageSlot, prefix)
      : []),
  ];
  return { devices, expanders: topology.expanders, extraNodes: nodes, inventory, args };
}

function inventoryDevice(device: PlannedDevice): InventoryDevice {
  const { uuid, hostAddress, deviceTreePath, numaNode, model, cdiName, containerPath } = device;
  return { uuid, hostAddress, deviceTreePath, numaNode, model, cdiName, containerPath };
}

/** `kata-mock`, or with a number when the VM has ids that begin so. */
function freePrefix(ids: ReadonlySet<string>): string {
  for (let number = 1; ; number++) {
    const prefix = number === 1 ? 'kata-mock' : `kata-mock${number}`;
    if (![...ids].some((id) => id.startsWith(`${prefix}-`))) return prefix;
  }
}

function checkSocketPath(path: string): string {
  if (Buffer.byteLength(path) <= longestSocketPath) return path;
  throw new KataMockError('HOST', `socket path "${path}" is longer than ${longestSocketPath} bytes`, {
    hint: 'set KATA_MOCK_RUN_DIR to a shorter directory',
  });
}
