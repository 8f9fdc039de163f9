import type { Pruned } from '../commands/prune.ts';
import { isAlive } from '../process/identity.ts';
import { removeTree } from '../sandbox/remove-tree.ts';
import { listVms } from './hook-state.ts';

/** Removes directories of VMs whose device host is gone. */
export function pruneHook(runDir: string): Pruned[] {
  return listVms(runDir)
    .filter((vm) => !isAlive(vm.deviceHost))
    .map((vm) => {
      removeTree(vm.directory);
      return { what: 'vm', name: vm.sandboxId };
    });
}
