import { existsSync, readdirSync } from 'node:fs';
import { KataMockError } from '../../errors.ts';
import { isAlive } from '../process/identity.ts';
import { isName, type SandboxPaths, sandboxesDirectory, sandboxPaths } from './paths.ts';
import { readState, type SandboxState } from './state.ts';

/** Names of all sandboxes, running or left behind, sorted; what no run of ours made is passed over. */
export function sandboxNames(runDir: string): string[] {
  try {
    return readdirSync(sandboxesDirectory(runDir)).filter(isName).sort();
  } catch {
    return [];
  }
}

/** A sandbox that runs. */
export function findSandbox(runDir: string, name: string): { paths: SandboxPaths; state: SandboxState } {
  const found = findAnySandbox(runDir, name);
  const { paths, state } = found;
  if (!state || !isAlive(state.owner)) {
    throw new KataMockError('NOT_FOUND', `sandbox "${name}" was left by a run that crashed`, {
      hint: 'kata-mock prune removes what it left',
    });
  }
  if (state.phase !== 'running') {
    throw new KataMockError('NOT_FOUND', `sandbox "${name}" is ${state.phase}, not running`);
  }
  return { paths, state };
}

/** A sandbox in whatever condition: its logs outlive a crash until `prune`. */
export function findAnySandbox(runDir: string, name: string): { paths: SandboxPaths; state: SandboxState | undefined } {
  const paths = sandboxPaths(runDir, name);
  if (!existsSync(paths.dir)) {
    const names = sandboxNames(runDir);
    throw new KataMockError('NOT_FOUND', `there is no sandbox "${name}"`, {
      hint: names.length > 0 ? `there are: ${names.join(', ')}` : 'none is running; start one: kata-mock run …',
    });
  }
  return { paths, state: readState(paths.state) };
}
