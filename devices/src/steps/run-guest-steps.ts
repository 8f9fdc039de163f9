import path from 'node:path';
import { linkName } from '@kata-mock/pci';
import { DeviceError } from '../errors.ts';
import type { Guest } from '../guest/guest.ts';
import { scsiHosts } from '../handlers/scsi-disk.ts';
import type { GuestStep } from './steps.ts';

type StepOf<Kind extends GuestStep['kind']> = Extract<GuestStep, { kind: Kind }>;

const runners: { [Kind in GuestStep['kind']]: (guest: Guest, step: StepOf<Kind>) => void } = {
  'bind-driver': bindDriver,
  'scan-scsi': scanScsi,
};

/** Does what a plan wants done to the guest, in order. */
export function runGuestSteps(guest: Guest, steps: readonly GuestStep[]): void {
  for (const step of steps) runners[step.kind](guest, step as never);
}

/** The kernel's own recipe: override, leave the present driver, probe again. */
function bindDriver(guest: Guest, { address, devpath, driver }: StepOf<'bind-driver'>): void {
  const bound = () => linkName(path.join(guest.sysfs, devpath), 'driver');
  try {
    guest.write(`${devpath}/driver_override`, driver);
    const present = bound();
    if (present === driver) return;
    if (present !== undefined) guest.write(`${devpath}/driver/unbind`, address);
    guest.write('/bus/pci/drivers_probe', address);
  } catch (cause) {
    throw new DeviceError('BIND_FAILED', `cannot bind ${address} to ${driver}: ${(cause as Error).message}`, { cause });
  }
  const after = bound();
  if (after !== driver) {
    const message = `${address} did not bind to ${driver}: its driver is ${after ?? 'none'}; is the module loaded?`;
    throw new DeviceError('BIND_FAILED', message);
  }
}

function scanScsi(guest: Guest, { target, lun }: StepOf<'scan-scsi'>): void {
  for (const host of scsiHosts(guest.sysfs)) guest.write(`/class/scsi_host/${host}/scan`, `0 ${target} ${lun}`);
}
