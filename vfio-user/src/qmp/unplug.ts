import { VfioUserError } from '../errors.ts';
import { Monitor } from './monitor.ts';

const DRIVER = 'vfio-user-pci';
/** The guest's part of an unplug takes seconds; with an attention button five more. */
const UNPLUG_MS = 30_000;

export interface UnplugOptions {
  /** The device's id at QEMU. Default: the only vfio-user device there is. */
  device?: string | undefined;
  /** MSI-X vectors of the device, undefined when that is not known; see {@link refuseAbort}. */
  msixVectors: number | undefined;
  /** Also where QEMU is known to abort. */
  force?: boolean;
}

/** Takes a vfio-user device out of a running VM by QEMU's monitor; resolves with its id once QEMU has let it go. */
export async function unplug(monitorPath: string, options: UnplugOptions): Promise<string> {
  refuseAbort(options);
  const monitor = await Monitor.connect(monitorPath);
  try {
    const device = options.device ?? (await onlyDevice(monitor));
    await monitor.execute('device_del', { id: device });
    await monitor.event(
      ({ event, data }) => event === 'DEVICE_DELETED' && data?.['device'] === device,
      UNPLUG_MS,
      `the guest did not let ${device} go in ${UNPLUG_MS / 1000} s`,
    );
    return device;
  } finally {
    monitor.close();
  }
}

/** Throws INVALID_OPTION where an unplug is known to end the whole VM. */
export function refuseAbort({ msixVectors, force }: Pick<UnplugOptions, 'msixVectors' | 'force'>): void {
  if (msixVectors === 0 || force) return;
  throw new VfioUserError(
    'INVALID_OPTION',
    `the device has ${msixVectors ?? 'perhaps'} MSI-X vectors, and QEMU (10.1 to 11.1) aborts when such a vfio-user device is unplugged: ` +
      'give it a profile with "msix": false (and "intx": true), or end the VM with --force',
  );
}

async function onlyDevice(monitor: Monitor): Promise<string> {
  const list = (await monitor.execute('qom-list', { path: '/machine/peripheral' })) as { name: string; type: string }[];
  const devices = list.filter(({ type }) => type === `child<${DRIVER}>`).map(({ name }) => name);
  if (devices.length === 1) return devices[0]!;
  const there = devices.length === 0 ? `no ${DRIVER} device with an id` : devices.join(', ');
  throw new VfioUserError('NOT_FOUND', `QEMU has ${there}; name one with --qdev`);
}
