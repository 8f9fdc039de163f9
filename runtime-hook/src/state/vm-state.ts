import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { checkInventory, type Inventory } from '@kata-mock/contracts';
import type { OnDeviceLoss } from '../config/config.ts';
import type { ProcessIdentity } from '../vm/process/identity.ts';
import { vmDirectories } from './vm-directory.ts';

const stateFile = 'state.json';

/** What the hook records of a VM before QEMU starts. */
export interface VmState {
  version: 1;
  sandboxId: string;
  /** Where the VM was started: its OCI bundle. */
  bundle: string;
  /** ISO 8601. */
  startedAt: string;
  deviceHost: ProcessIdentity;
  /** The wrapper, which becomes QEMU under the same identity. */
  qemu: ProcessIdentity & { path: string };
  onDeviceLoss: OnDeviceLoss;
  /** Which source named the devices. */
  source: string;
  /** Function ids of the device host, in the order of the inventory. */
  functions: { id: string; socketPath: string }[];
  /** Host addresses leased for it. */
  leases: string[];
  inventory: Inventory;
}

/** As it is found: with its place. */
export interface FoundVm extends VmState {
  directory: string;
}

/** Readers see the old file or the new one, never half of one. */
export function writeVmState(directory: string, state: VmState): void {
  const draft = path.join(directory, `.${stateFile}`);
  writeFileSync(draft, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, path.join(directory, stateFile));
}

/** Undefined when there is none yet, or what is there is not of this version. */
export function readVmState(directory: string): FoundVm | undefined {
  try {
    const state = JSON.parse(readFileSync(path.join(directory, stateFile), 'utf8')) as VmState;
    if (state.version !== 1) return undefined;
    return { ...state, inventory: checkInventory(state.inventory), directory };
  } catch {
    return undefined;
  }
}

/** Every VM with devices that this host has, oldest first, those included whose processes are dead. */
export function listVmStates(runDirectory: string): FoundVm[] {
  return vmDirectories(runDirectory)
    .flatMap((directory) => readVmState(directory) ?? [])
    .sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
}
