import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { checkInventory } from '@kata-mock/contracts';
import type { HookView, PlannedVm } from './hook-view.ts';

/** Reads what the hook wrote below `<run dir>/vm/`. */
export const hookView: HookView = {
  find(runDir, sandboxId) {
    const vms = path.join(runDir, 'vm');
    return list(vms)
      .map((short) => path.join(vms, short))
      .map((directory) => plannedVm(directory, sandboxId))
      .find((vm) => vm !== undefined);
  },
};

function plannedVm(directory: string, sandboxId: string): PlannedVm | undefined {
  try {
    const state = JSON.parse(readFileSync(path.join(directory, 'state.json'), 'utf8'));
    if (state.sandboxId !== sandboxId) return undefined;
    return { directory, devices: checkInventory(state.inventory).devices };
  } catch {
    return undefined;
  }
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
