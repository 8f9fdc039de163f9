import { type Inventory, inventoryFwCfgName, serializeInventory } from '@kata-mock/contracts';
import { escapeValue } from '../argv/options.ts';
import type { ExtraNode } from './numa.ts';
import type { Expander, RootPort, Topology } from './topology.ts';

/** A vfio-user function as QEMU sees it. */
export interface DeviceArgument {
  id: string;
  port: string;
  socketPath: string;
}

/** In the order QEMU needs: nodes, buses, ports, initiators; JSON devices are created after all of them. */
export function topologyArguments(topology: Topology, nodes: readonly ExtraNode[]): string[] {
  return [
    ...nodes.flatMap(({ node }) => ['-numa', `node,nodeid=${node}`]),
    ...topology.expanders.flatMap(expanderArguments),
    ...topology.ports.flatMap(portArguments),
    ...nodes.flatMap((node) => [
      '-object',
      `acpi-generic-initiator,id=${node.initiatorId},pci-dev=${node.port},node=${node.node}`,
    ]),
  ];
}

/** The socket property is an object, so JSON is the only form; without `rombar` QEMU warns of a missing ROM. */
export function deviceArguments({ id, port, socketPath }: DeviceArgument): string[] {
  const socket = { path: socketPath, type: 'unix' };
  return ['-device', JSON.stringify({ driver: 'vfio-user-pci', id, bus: port, socket, rombar: 0 })];
}

export function inventoryArguments(inventory: Inventory): string[] {
  return ['-fw_cfg', `name=${inventoryFwCfgName},string=${escapeValue(serializeInventory(inventory))}`];
}

/** Serial of the root image's disk; the guest's initrd looks for it. */
export const rootImageSerial = 'kata-mock-root';

/** Read-only, so any number of VMs share one image. */
export function rootImageArguments(file: string, slot: number, prefix: string): string[] {
  const node = `${prefix}-root`;
  const blockdev = { driver: 'raw', 'node-name': node, 'read-only': true, file: { driver: 'file', filename: file } };
  const device = `virtio-blk-pci,id=${node}-disk,drive=${node},serial=${rootImageSerial},bus=pcie.0,addr=${hex(slot)}`;
  return ['-blockdev', JSON.stringify(blockdev), '-device', device];
}

function expanderArguments({ id, slot, busNumber, numaNode }: Expander): string[] {
  const node = numaNode < 0 ? '' : `,numa_node=${numaNode}`;
  return ['-device', `pxb-pcie,id=${id},bus=pcie.0,addr=${hex(slot)},bus_nr=${busNumber}${node}`];
}

function portArguments(port: RootPort): string[] {
  const place = `addr=${hex(port.slot)}.${port.function}${port.multifunction ? ',multifunction=on' : ''}`;
  return ['-device', `pcie-root-port,id=${port.id},bus=${port.bus},${place},chassis=${port.chassis},slot=0`];
}

function hex(number: number): string {
  return `0x${number.toString(16)}`;
}
