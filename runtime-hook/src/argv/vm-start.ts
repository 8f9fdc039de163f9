import { properties, qemuNumber, qemuOptions } from './options.ts';

/** What the hook needs to know of an argument list that starts a sandbox's VM. */
export interface VmStart {
  /** From `-name sandbox-<id>`. */
  sandbox: string;
  /** Machine type, e.g. `q35`. */
  machine: string;
  /** Node numbers the VM has; empty without `-numa`. */
  numaNodes: number[];
  /** Whether guest memory is a shared file, so that a device can map it. */
  sharedMemory: boolean;
  /** Every `id=` (and `node-name=`), so that ours differ. */
  ids: ReadonlySet<string>;
  /** Ids of `-object`, in order: they share a table with ours (see planner/initiator-order.ts). */
  objectIds: string[];
  /** Slots of pcie.0 that are given, or that QEMU may give to a device without an address. */
  usedSlots: ReadonlySet<number>;
  /** Root bus numbers of expander buses. */
  rootBusNumbers: number[];
  /** Chassis numbers of root ports. */
  chassis: ReadonlySet<number>;
}

/** `-device` drivers that do not sit on a PCI bus; they take no slot. */
const notPci =
  /^(nvdimm|pc-dimm|virtconsole|virtserialport|scsi-.*|ide-.*|usb-.*|isa-.*|.*-x86_64-cpu|vmgenid|pvpanic)$/;

/**
 * Recognises the start of a sandbox's VM, as the Go shim and runtime-rs write it: `-name sandbox-<id>`, a machine and
 * something to boot. Anything else (`--version`, `-device help`, a memory dump, another program's VM) gives undefined.
 */
export function recogniseVmStart(args: readonly string[]): VmStart | undefined {
  const options = qemuOptions(args);
  const values = (...names: string[]) =>
    options.flatMap((option) => (names.includes(option.name) && option.value !== undefined ? [option.value] : []));
  const sandbox = values('name').flatMap((value) => sandboxOf(value))[0];
  const machine = new Map(values('machine', 'M').flatMap((value) => [...properties(value, 'type')]));
  const type = machine.get('type');
  if (sandbox === undefined || type === undefined || values('kernel').length === 0) return undefined;

  const devices = values('device').map((value) => properties(value, 'driver'));
  const objects = values('object').map((value) => properties(value, 'qom-type'));
  const everything = [
    ...devices,
    ...objects,
    ...values('netdev', 'chardev', 'drive', 'blockdev', 'fsdev', 'mon').map((value) => properties(value, 'type')),
  ];
  return {
    sandbox,
    machine: type,
    numaNodes: numaNodes(values('numa')),
    sharedMemory: objects.some(
      (object) => object.get('qom-type')?.startsWith('memory-backend') && isOn(object.get('share')),
    ),
    ids: new Set(
      everything.flatMap((each) => [each.get('id'), each.get('node-name')]).filter((id) => id !== undefined),
    ),
    objectIds: objects.flatMap((object) => object.get('id') ?? []),
    usedSlots: usedSlots(devices),
    rootBusNumbers: numbers(devices, 'bus_nr'),
    chassis: new Set([...numbers(devices, 'chassis'), ...numbers(devices, 'chassis_nr')]),
  };
}

function sandboxOf(value: string): string[] {
  const name = properties(value, 'guest').get('guest') ?? '';
  const id = name.startsWith('sandbox-') ? name.slice('sandbox-'.length) : '';
  return /^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$/.test(id) ? [id] : [];
}

/** A node without `nodeid` gets the number of nodes before it. */
function numaNodes(values: string[]): number[] {
  const nodes: number[] = [];
  for (const value of values) {
    const node = properties(value, 'type');
    if (node.get('type') === 'node') nodes.push(qemuNumber(node.get('nodeid')) ?? nodes.length);
  }
  return nodes;
}

function usedSlots(devices: Map<string, string>[]): Set<number> {
  const used = new Set<number>([0, 0x1f]); // host bridge; LPC, SATA and SMBus
  let automatic = 0;
  for (const device of devices) {
    if (notPci.test(device.get('driver') ?? '')) continue;
    if ((device.get('bus') ?? 'pcie.0') !== 'pcie.0') continue;
    const slot = slotOf(device.get('addr'));
    if (slot === undefined) automatic++;
    else used.add(slot);
  }
  // QEMU gives each of the others the lowest slot that is free when its turn comes.
  for (let slot = 1; automatic > 0 && slot < 0x20; slot++) {
    if (used.has(slot)) continue;
    used.add(slot);
    automatic--;
  }
  return used;
}

/** QEMU reads `addr` as hex, `slot` or `slot.function`; a number in JSON is slot * 8 + function. */
function slotOf(addr: string | undefined): number | undefined {
  const match = /^(?:0x)?([0-9a-f]{1,2})(?:\.[0-7])?$/i.exec(addr ?? '');
  return match ? Number.parseInt(match[1] ?? '', 16) : undefined;
}

function numbers(devices: Map<string, string>[], key: string): number[] {
  return devices.flatMap((device) => qemuNumber(device.get(key)) ?? []);
}

function isOn(value: string | undefined): boolean {
  return value === 'on' || value === 'true' || value === 'yes';
}
