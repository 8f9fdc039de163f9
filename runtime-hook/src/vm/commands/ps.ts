import { isVmAlive, listVmStates } from '../../state/index.ts';
import { isAlive } from '../process/identity.ts';
import { sandboxNames } from '../sandbox/find.ts';
import { sandboxPaths } from '../sandbox/paths.ts';
import { runDirectory } from '../sandbox/run-directory.ts';
import { readState } from '../sandbox/state.ts';

export interface Listed {
  name: string;
  /** `run`: a VM of `kata-mock run`; `kata`: a VM that something else started through the hook. */
  kind: 'run' | 'kata';
  /** `crashed`: its owner is gone; `kata-mock prune` cleans up. */
  condition: 'starting' | 'running' | 'stopping' | 'crashed';
  /** Of the owner, or of the device host. */
  pid?: number;
  devices: number;
  containers: string[];
  createdAt?: string;
}

/** Every sandbox of `kata-mock run`, then every other VM the hook gave devices. Reads only. */
export function listAll(runDir = runDirectory()): Listed[] {
  const sandboxes = sandboxNames(runDir).map((name) => listSandbox(runDir, name));
  const names = new Set(sandboxes.map((each) => each.name));
  const others = listVmStates(runDir)
    .filter((vm) => !names.has(vm.sandboxId))
    .map((vm): Listed => {
      const condition = isVmAlive(vm.directory) ? 'running' : 'crashed';
      return {
        name: vm.sandboxId,
        kind: 'kata',
        condition,
        pid: vm.deviceHost.pid,
        devices: vm.inventory.devices.length,
        containers: [],
        createdAt: vm.startedAt,
      };
    });
  return [...sandboxes, ...others];
}

function listSandbox(runDir: string, name: string): Listed {
  const state = readState(sandboxPaths(runDir, name).state);
  if (!state) return { name, kind: 'run', condition: 'crashed', devices: 0, containers: [] };
  return {
    name,
    kind: 'run',
    condition: isAlive(state.owner) ? state.phase : 'crashed',
    pid: state.owner.pid,
    devices: state.devices.length,
    containers: state.containers.map((container) => container.id),
    createdAt: state.createdAt,
  };
}
