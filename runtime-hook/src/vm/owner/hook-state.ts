import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { checkInventory, type InventoryDevice } from '@kata-mock/contracts';
import type { ProcessIdentity } from '../process/identity.ts';
import type { HookView } from './hook-view.ts';

/** A VM the hook gave devices, by whomever it was started. */
export interface HookVm {
  directory: string;
  sandboxId: string;
  deviceHost: ProcessIdentity;
  devices: InventoryDevice[];
}

/** Reads what the hook wrote below `<run dir>/vm/`. */
export function listVms(runDir: string): HookVm[] {
  const vms = path.join(runDir, 'vm');
  let names: string[];
  try {
    names = readdirSync(vms).sort();
  } catch {
    return [];
  }
  return names.flatMap((short) => readVm(path.join(vms, short)) ?? []);
}

export const hookView: HookView = {
  find: (runDir, sandboxId) => listVms(runDir).find((vm) => vm.sandboxId === sandboxId),
};

function readVm(directory: string): HookVm | undefined {
  try {
    const { sandboxId, deviceHost, inventory } = JSON.parse(readFileSync(path.join(directory, 'state.json'), 'utf8'));
    return { directory, sandboxId, deviceHost, devices: checkInventory(inventory).devices };
  } catch {
    return undefined;
  }
}
