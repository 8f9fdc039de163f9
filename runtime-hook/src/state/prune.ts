import path from 'node:path';
import { Leases } from '../leases/leases.ts';
import { isAlive } from '../vm/process/identity.ts';
import { endProcess } from './process-end.ts';
import { deadDrafts, isVmAlive, removeIfDead, vmDirectories, vmOwner } from './vm-directory.ts';
import { readVmState } from './vm-state.ts';

/** A device host ends its functions within 500 ms. */
const graceMs = 1000;

/** Ends a VM's device host if it still runs, and removes everything it had. */
export async function endVm(directory: string): Promise<void> {
  const runDirectory = path.dirname(path.dirname(directory));
  await endAndRemove(runDirectory, directory);
  await new Leases(runDirectory).prune();
}

/**
 * Removes what crashes left: directories and leases of dead device hosts, and device hosts whose QEMU is dead. What
 * belongs to a living VM is not touched. Returns what was removed, as paths.
 */
export async function pruneHook(runDirectory: string): Promise<string[]> {
  const removed: string[] = [];
  for (const directory of vmDirectories(runDirectory)) {
    const qemu = readVmState(directory)?.qemu;
    if (isVmAlive(directory) && (!qemu || isAlive(qemu))) continue;
    if (await endAndRemove(runDirectory, directory)) removed.push(directory);
  }
  for (const directory of deadDrafts(runDirectory)) {
    if (await removeIfDead(runDirectory, directory)) removed.push(directory);
  }
  const leases = await new Leases(runDirectory).prune();
  return [...removed, ...leases.map((address) => path.join(runDirectory, 'leases', address))];
}

async function endAndRemove(runDirectory: string, directory: string): Promise<boolean> {
  const owner = vmOwner(directory);
  if (owner) await endProcess(owner, graceMs);
  return removeIfDead(runDirectory, directory);
}
