import type { SandboxDevice } from '../vm/sandbox/state.ts';
import { renderTable } from './table.ts';

/** The way of each device, from the host into the container. */
export function deviceTable(devices: SandboxDevice[]): string {
  if (devices.length === 0) return 'no devices\n';
  return renderTable(
    ['DEVICE', 'UUID', 'HOST ADDRESS', 'GUEST ADDRESS', 'NUMA', 'GUEST NODE', 'CONTAINER PATH'],
    devices.map((device) => [
      `${device.index} ${device.model}`,
      device.uuid,
      device.hostAddress,
      device.guestAddress ?? '-',
      device.numaNode < 0 ? '-' : device.numaNode.toString(),
      device.guestNode ?? '-',
      device.containerPath,
    ]),
  );
}
