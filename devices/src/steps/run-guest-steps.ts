import path from 'node:path';
import { linkName } from '@kata-mock/pci';
import { DeviceError } from '../errors.ts';
import type { Guest } from '../guest/guest.ts';
import { scsiHosts } from '../handlers/scsi-disk.ts';
import type { GuestStep } from './steps.ts';

type StepOf<Kind extends GuestStep['kind']> = Extract<GuestStep, { kind: Kind }>;

/** Takes back what guest steps did, as far as the kernel lets it. Never rejects. */
export type UndoGuestSteps = () => Promise<void>;

/** A runner tells how to undo its step before it does anything that needs it. */
type Runner<Kind extends GuestStep['kind']> = (
  guest: Guest,
  step: StepOf<Kind>,
  onUndo: (undo: () => Promise<void>) => void,
) => Promise<void>;

const runners: { [Kind in GuestStep['kind']]: Runner<Kind> } = {
  'bind-driver': bindDriver,
  'scan-scsi': scanScsi,
};

/** The last steps that a guest was asked for: a function must not change its driver for two callers at the same time. */
const last = new WeakMap<Guest, Promise<unknown>>();

/** Does what a plan wants done to the guest, in order. When a step fails, those before it are undone. */
export async function runGuestSteps(guest: Guest, steps: readonly GuestStep[]): Promise<UndoGuestSteps> {
  const undos: (() => Promise<void>)[] = [];
  const undo = async () => {
    for (const step of undos.splice(0).reverse()) await step();
  };
  if (steps.length > 0) {
    await inTurn(guest, async () => {
      try {
        for (const step of steps) await runners[step.kind](guest, step as never, (one) => undos.push(one));
      } catch (error) {
        await undo();
        throw error;
      }
    });
  }
  return async () => {
    if (undos.length > 0) await inTurn(guest, undo);
  };
}

function inTurn(guest: Guest, work: () => Promise<void>): Promise<void> {
  const turn = (last.get(guest) ?? Promise.resolve()).then(work);
  last.set(
    guest,
    turn.catch(() => {}),
  );
  return turn;
}

/** The kernel's own recipe: override, leave the present driver, probe again. */
async function bindDriver(
  guest: Guest,
  { address, devpath, driver }: StepOf<'bind-driver'>,
  onUndo: (undo: () => Promise<void>) => void,
): Promise<void> {
  const bound = () => linkName(path.join(guest.sysfs, devpath), 'driver');
  const present = bound();
  if (present !== driver) onUndo(() => restoreDriver(guest, address, devpath));
  try {
    await guest.write(`${devpath}/driver_override`, driver);
    if (present === driver) return;
    if (present !== undefined) await guest.write(`${devpath}/driver/unbind`, address);
    await guest.write('/bus/pci/drivers_probe', address);
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
async function restoreDriver(guest: Guest, address: string, devpath: string): Promise<void> {
  const attempt = async (file: string, text: string) => {
    try {
      await guest.write(file, text);
    } catch {
      // The function is gone, or was bound to nothing: the other writes still count.
    }
  };
  await attempt(`${devpath}/driver_override`, '\n');
  if (linkName(path.join(guest.sysfs, devpath), 'driver') !== undefined) {
    await attempt(`${devpath}/driver/unbind`, address);
  }
  await attempt('/bus/pci/drivers_probe', address);
}

/** A disk that was found stays: finding it changed nothing a container can see. */
async function scanScsi(guest: Guest, { target, lun }: StepOf<'scan-scsi'>): Promise<void> {
  for (const host of scsiHosts(guest.sysfs)) {
    await guest.write(`/class/scsi_host/${host}/scan`, `0 ${target} ${lun}`);
  }
}
