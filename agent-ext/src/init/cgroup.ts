import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Lets cgroups below the root have every controller the kernel offers; runc needs them for limits. */
export function enableControllers(cgroupRoot: string, onProblem: (controller: string, error: unknown) => void): void {
  const controllers = readFileSync(path.join(cgroupRoot, 'cgroup.controllers'), 'utf8').trim().split(/\s+/);
  for (const controller of controllers) {
    try {
      // One at a time: a single one that refuses would take the others with it.
      writeFileSync(path.join(cgroupRoot, 'cgroup.subtree_control'), `+${controller}`);
    } catch (error) {
      onProblem(controller, error);
    }
  }
}
