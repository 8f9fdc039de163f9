/** What the hook leaves on the host about its VMs, and how that is read, ended and cleaned. */
export { endVm, pruneHook } from './prune.ts';
export { isVmAlive, vmDirectories, vmDirectory } from './vm-directory.ts';
export { type FoundVm, listVmStates, readVmState } from './vm-state.ts';
