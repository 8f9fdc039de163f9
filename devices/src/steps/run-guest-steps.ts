import path from 'node:path';
import { linkName } from '@kata-mock/pci';
import { DeviceError } from '../errors.ts';
import type { Guest } from '../guest/guest.ts';
import { scsiHosts } from '../handlers/scsi-disk.ts';
import type { GuestStep } from './steps.ts';

type StepOf<Kind extends GuestStep['kind']> = Extract<GuestStep, { kind: Kind }>;

/** Takes back what guest steps did, as far as the kernel lets it. Never throws. */
export type UndoGuestSteps = () => void;

/** A runner tells how to undo its step before it does anything that needs it. */
type Runner<Kind extends GuestStep['kind']> = (
  guest: Guest,
  step: StepOf<Kind>,
  onUndo: (undo: () => void) => void,
) => void;

const runners: { [Kind in GuestStep['kind']]: Runner<Kind> } = {
  'bind-driver': bindDriver,
  'scan-scsi': scanScsi,
};

/** Does what a plan wants done to the guest, in order. When a step fails, those before it are undone. */
export function runGuestSteps(guest: Guest, steps: readonly GuestStep[]): UndoGuestSteps {
  const undos: (() => void)[] = [];
  const undo = () => {
    for (const step of undos.splice(0).reverse()) step();
  };
  try {
    for (const step of steps) runners[step.kind](guest, step as never, (one) => undos.push(one));
    return undo;
  } catch (error) {
    undo();
    throw error;
  }
}

/** The kernel's own recipe: override, leave the present driver, probe again. */
function bindDriver(
  guest: Guest,
  { address, devpath, driver }: StepOf<'bind-driver'>,
  onUndo: (undo: () => void) => void,
): void {
  const bound = () => linkName(path.join(guest.sysfs, devpath), 'driver');
  const present = bound();
  if (present !== driver) onUndo(() => restoreDriver(guest, address, devpath));
  try {
    guest.write(`${devpath}/driver_override`, driver);
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

/** Without an override the kernel chooses, as it did when the function was found. */
function restoreDriver(guest: Guest, address: string, devpath: string): void {
  const attempt = (file: string, text: string) => {
    try {
      guest.write(file, text);
    } catch {
      // The function is gone, or was bound to nothing: the other writes still count.
    }
  };
  attempt(`${devpath}/driver_override`, '\n');
  if (linkName(path.join(guest.sysfs, devpath), 'driver') !== undefined) attempt(`${devpath}/driver/unbind`, address);
  attempt('/bus/pci/drivers_probe', address);
}

/** A disk that was found stays: finding it changed nothing a container can see. */
function scanScsi(guest: Guest, { target, lun }: StepOf<'scan-scsi'>): void {
  for (const host of scsiHosts(guest.sysfs)) guest.write(`/class/scsi_host/${host}/scan`, `0 ${target} ${lun}`);
}
