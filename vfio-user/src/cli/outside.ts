import { controlCall } from '../control/client.ts';
import { VfioUserError } from '../errors.ts';
import type { Fault } from '../faults/rule.ts';
import { refuseAbort, unplug } from '../qmp/unplug.ts';

export interface RemoveOptions {
  /** QEMU's monitor; without it the device stays plugged in and reads all ones until the fault is cleared. */
  qmp?: string | undefined;
  qdev?: string | undefined;
  force?: boolean;
}

/** The rule that surprise removal sets and clears. */
const REMOVAL = 'removal';

/** Surprise removal: the device reads all ones at once; then QEMU unplugs it, and whoever connects next finds it well. */
export async function remove(control: string, id: string, options: RemoveOptions): Promise<object> {
  const { qmp, qdev, force = false } = options;
  const { msixVectors } = (await controlCall(control, 'stats', { id })) as { msixVectors?: number };
  if (qmp !== undefined) refuseAbort({ msixVectors, force });
  await controlCall(control, 'fault-set', { id, rule: { id: REMOVAL, fault: { kind: 'removal' } } });
  if (qmp === undefined) return { removed: id, clear: `fault-clear ${REMOVAL}` };
  try {
    return { removed: id, unplugged: await unplug(qmp, { device: qdev, msixVectors, force }) };
  } finally {
    await controlCall(control, 'fault-clear', { id, rule: REMOVAL });
  }
}

/** One error of each severity that a function has after reset: receiver error, completion timeout, malformed TLP. */
const severities: Record<string, Fault> = {
  correctable: { kind: 'aer', correctable: 0x1 },
  nonfatal: { kind: 'aer', uncorrectable: 0x4000 },
  fatal: { kind: 'aer', uncorrectable: 0x4_0000 },
};

/** An AER event at once, by severity or as JSON of the status bits. It waits in fault-events for its carrier. */
export function aer(control: string, id: string, argument: string | undefined): Promise<unknown> {
  const known = argument !== undefined && Object.hasOwn(severities, argument) ? severities[argument] : undefined;
  const fault = known ?? { ...bits(argument), kind: 'aer' };
  return controlCall(control, 'aer', { id, fault });
}

function bits(argument: string | undefined): object {
  try {
    const value: unknown = JSON.parse(argument ?? '');
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Refused below, as what is no object.
  }
  throw new VfioUserError(
    'INVALID_OPTION',
    `aer ${JSON.stringify(argument ?? '')}: give ${Object.keys(severities).join(', ')}, or {"correctable":BITS}, {"uncorrectable":BITS}`,
  );
}
