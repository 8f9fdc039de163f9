import { statSync } from 'node:fs';
import { pruneHook } from '../../state/index.ts';
import { isAlive, type ProcessIdentity } from '../process/identity.ts';
import { sandboxNames } from '../sandbox/find.ts';
import { sandboxPaths } from '../sandbox/paths.ts';
import { removeTree } from '../sandbox/remove-tree.ts';
import { runDirectory } from '../sandbox/run-directory.ts';
import { readState } from '../sandbox/state.ts';

export interface Pruned {
  what: 'process' | 'sandbox' | 'file';
  name: string;
}

/** A directory without a state belongs to a run that is just starting, unless it is older than this. */
const startingMs = 10_000;

/** Removes what belongs to owners that are gone; what runs is left alone. */
export async function prune(runDir = runDirectory()): Promise<Pruned[]> {
  const removed: Pruned[] = [];
  for (const name of sandboxNames(runDir)) removed.push(...pruneSandbox(runDir, name));
  for (const name of await pruneHook(runDir)) removed.push({ what: 'file', name });
  return removed;
}

function pruneSandbox(runDir: string, name: string): Pruned[] {
  const paths = sandboxPaths(runDir, name);
  const state = readState(paths.state);
  if (state ? isAlive(state.owner) : Date.now() - statSync(paths.dir).mtimeMs < startingMs) return [];
  const killed = Object.entries(state?.processes ?? {}).filter(([, identity]) => kill(identity));
  removeTree(paths.dir);
  return [
    ...killed.map(([what, { pid }]): Pruned => ({ what: 'process', name: `${what} (${pid})` })),
    { what: 'sandbox', name },
  ];
}

/** They end with their owner; one that did not is ended here, if it is still the same process. */
function kill(identity: ProcessIdentity): boolean {
  if (!isAlive(identity)) return false;
  process.kill(identity.pid, 'SIGKILL');
  return true;
}
