import type { VmStart } from '../argv/vm-start.ts';
import { KataMockError } from '../errors.ts';
import type { RequestedDevice } from './requests.ts';

/** An expander bus: a further PCI root complex of the guest, on one NUMA node. */
export interface Expander {
  id: string;
  /** Slot on pcie.0, 0x10..0x1e. */
  slot: number;
  /** Number of its root bus in the guest, 0xa0 or more. */
  busNumber: number;
  /** -1 for none. */
  numaNode: number;
}

/** The root port a device sits behind. */
export interface RootPort {
  id: string;
  /** `pcie.0` or an expander's id. */
  bus: string;
  slot: number;
  function: number;
  /** Other ports share this one's slot, as functions 1 and up. */
  multifunction: boolean;
  /** Unique in the VM, from 0x40. */
  chassis: number;
  /** Place of the device behind it, as the inventory gives it. */
  deviceTreePath: string;
}

export interface Topology {
  expanders: Expander[];
  /** One for each device, in the same order. */
  ports: RootPort[];
  /** Slot on pcie.0 of the root image's disk; undefined when there is none. */
  rootImageSlot: number | undefined;
}

const firstSlot = 0x10;
const lastSlot = 0x1e;
const portsPerExpander = 32;
const firstBusNumber = 0xa0;
const lastBusNumber = 0xff;
const firstChassis = 0x40;
const lastChassis = 0xff;

/**
 * Places each device behind a root port of its own. Kata's devices take the low slots of pcie.0 and its own expanders
 * the bus numbers up to 0xa0, so ours start above both.
 */
export function placeDevices(
  devices: readonly RequestedDevice[],
  start: VmStart,
  prefix: string,
  withRootImage: boolean,
): Topology {
  const slots: number[] = [];
  for (let slot = firstSlot; slot <= lastSlot; slot++) if (!start.usedSlots.has(slot)) slots.push(slot);
  const rootImageSlot = withRootImage ? slots.pop() : undefined;
  if (withRootImage && rootImageSlot === undefined)
    throw full(devices, 'every slot of pcie.0 from 0x10 to 0x1e is taken');

  const groups = expanderGroups(devices);
  const expanders = placeExpanders(groups, slots.splice(0, groups.length), start, prefix, devices);
  const chassis = freeChassis(devices, start);
  const ports: RootPort[] = [];
  for (const [order, { members }] of groups.entries()) {
    const { id, busNumber } = expanders[order] as Expander;
    for (const [slot, index] of members.entries()) {
      const place = { bus: id, slot, function: 0, multifunction: false };
      const deviceTreePath = `${hex(busNumber)}/${hex(slot)}/00`;
      ports[index] = { id: `${prefix}-rp${index}`, ...place, chassis: chassis[index] as number, deviceTreePath };
    }
  }
  const direct = devices.filter((device) => device.bus === 'root-port').map((device) => device.index);
  if (direct.length > slots.length * 8) {
    throw full(devices, `pcie.0 has room for ${slots.length * 8} root ports, ${direct.length} are needed`);
  }
  for (const [order, index] of direct.entries()) {
    const slot = slots[order % slots.length] as number;
    const number = Math.floor(order / slots.length);
    const shared = direct.length > slots.length && (order % slots.length) + slots.length < direct.length;
    const place = { bus: 'pcie.0', slot, function: number, multifunction: number === 0 && shared };
    const deviceTreePath = `${hex(slot)}${number === 0 ? '' : `.${number}`}/00`;
    ports[index] = { id: `${prefix}-rp${index}`, ...place, chassis: chassis[index] as number, deviceTreePath };
  }
  return { expanders, ports, rootImageSlot };
}

/** Devices (by index) that share an expander. */
interface ExpanderGroup {
  numaNode: number;
  members: number[];
}

/** One expander for a NUMA node, and another when that has no room for more root ports. */
function expanderGroups(devices: readonly RequestedDevice[]): ExpanderGroup[] {
  const groups: ExpanderGroup[] = [];
  const open = new Map<number, ExpanderGroup>();
  for (const device of devices) {
    if (device.bus !== 'pxb') continue;
    let group = open.get(device.numaNode);
    if (!group || group.members.length === portsPerExpander) {
      group = { numaNode: device.numaNode, members: [] };
      open.set(device.numaNode, group);
      groups.push(group);
    }
    group.members.push(device.index);
  }
  return groups;
}

function placeExpanders(
  groups: ExpanderGroup[],
  slots: number[],
  start: VmStart,
  prefix: string,
  devices: readonly RequestedDevice[],
): Expander[] {
  if (slots.length < groups.length) {
    throw full(devices, `pcie.0 has ${slots.length} slots for expander buses, ${groups.length} are needed`);
  }
  // An expander of Kata's own owns the buses up to the next root bus: leave it 0x20 of them, as Kata does.
  const first = Math.max(firstBusNumber, ...start.rootBusNumbers.map((number) => number + 0x20));
  const available = lastBusNumber + 1 - first;
  const needed = groups.reduce((sum, group) => sum + 1 + group.members.length, 0);
  if (needed > available) {
    throw full(devices, `the guest has ${Math.max(available, 0)} bus numbers left, ${needed} are needed`);
  }
  // Round numbers read better; packed ones only when they must.
  const round = groups.length * 0x10 <= available && groups.every((group) => group.members.length < 0x10);
  let next = first;
  return groups.map((group, order) => {
    const busNumber = next;
    next += round ? 0x10 : 1 + group.members.length;
    return { id: `${prefix}-pxb${order}`, slot: slots[order] as number, busNumber, numaNode: group.numaNode };
  });
}

function freeChassis(devices: readonly RequestedDevice[], start: VmStart): number[] {
  const free: number[] = [];
  for (let number = firstChassis; number <= lastChassis; number++) if (!start.chassis.has(number)) free.push(number);
  if (free.length < devices.length) throw full(devices, `the VM has ${free.length} chassis numbers left`);
  return free;
}

function full(devices: readonly RequestedDevice[], reason: string): KataMockError {
  return new KataMockError('BAD_INPUT', `${devices.length} devices do not fit into the VM: ${reason}`, {
    hint: 'ask for fewer devices, or spread them over bus=root-port and bus=pxb',
  });
}

function hex(number: number): string {
  return number.toString(16).padStart(2, '0');
}
