import { readVmState, vmDirectory } from '../../state/index.ts';
import type { HookView } from './hook-view.ts';

/** Reads what the hook wrote below `<run dir>/vm/`. */
export const hookView: HookView = {
  find(runDir, sandboxId) {
    const vm = readVmState(vmDirectory(runDir, sandboxId));
    return vm && { directory: vm.directory, devices: vm.inventory.devices };
  },
};
