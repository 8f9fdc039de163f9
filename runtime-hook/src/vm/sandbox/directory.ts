import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { KataMockError } from '../../errors.ts';
import { isAlive } from '../process/identity.ts';
import { type SandboxPaths, sandboxesDirectory, sandboxPaths } from './paths.ts';
import { removeTree } from './remove-tree.ts';
import { privateDirectory } from './run-directory.ts';
import { readState } from './state.ts';

/** Takes a name for one sandbox: whoever makes the directory has it. */
export function claimSandbox(runDir: string, name: string): SandboxPaths {
  const paths = sandboxPaths(runDir, name);
  privateDirectory(runDir);
  privateDirectory(sandboxesDirectory(runDir));
  try {
    mkdirSync(paths.dir, { mode: 0o700 });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    throw inUse(paths, cause);
  }
  for (const dir of [paths.bundle, paths.logs]) mkdirSync(dir, { mode: 0o700 });
  return paths;
}

export function releaseSandbox(paths: SandboxPaths): void {
  removeTree(paths.dir);
}

export function randomName(): string {
  return `mock-${randomBytes(3).toString('hex')}`;
}

function inUse(paths: SandboxPaths, cause: unknown): KataMockError {
  const owner = readState(paths.state)?.owner;
  if (owner && isAlive(owner)) {
    return new KataMockError('IN_USE', `sandbox "${paths.name}" is running (pid ${owner.pid})`, {
      cause,
      hint: `choose another --name, or start a container in it: kata-mock run --sandbox ${paths.name} …`,
    });
  }
  return new KataMockError('IN_USE', `the name "${paths.name}" is taken by a run that crashed`, {
    cause,
    hint: 'kata-mock prune removes what it left',
  });
}
