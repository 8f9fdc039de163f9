import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Process } from '@kata-mock/oci-spec';
import type { ProcessIdentity } from '../process/identity.ts';

/** What a running sandbox tells others: `state.json` in its directory, replaced in one go. */
export interface SandboxState {
  version: 1;
  name: string;
  /** The `kata-mock run` that owns the VM. */
  owner: ProcessIdentity;
  createdAt: string;
  /**
   * - `starting`: VM and agent are not up yet
   * - `running`: containers can be started and entered
   * - `stopping`: the VM is being taken down
   */
  phase: 'starting' | 'running' | 'stopping';
  accel: 'kvm' | 'tcg';
  transport: 'vsock' | 'hybrid-vsock' | 'serial';
  memoryMiB: number;
  cpus: number;
  processes: { qemu?: ProcessIdentity; virtiofsd?: ProcessIdentity };
  /** The hook's directory of this VM; absent without devices. */
  vmDirectory?: string;
  devices: SandboxDevice[];
  containers: ContainerState[];
}

export interface SandboxDevice {
  index: number;
  uuid: string;
  /** Name within CDI kind kata-mock.dev/accel; the UUID and `all` name it too. */
  cdiName: string;
  model: string;
  hostAddress: string;
  /** `11/00`, or below a root bus of its own `a0/00/00`. */
  deviceTreePath: string;
  /** Undefined until the guest has numbered its buses. */
  guestAddress?: string;
  /** As the guest's kernel says; -1 for none. */
  numaNode: number;
  /** The kernel's node in the guest, e.g. /dev/mock1. */
  guestNode?: string;
  /** The node in containers. */
  containerPath: string;
}

export interface ContainerState {
  id: string;
  phase: 'creating' | 'running' | 'stopped';
  /** Of the OCI spec; what an exec inherits env, cwd and user from. */
  process: Process;
  exitCode?: number;
}

export function writeState(file: string, state: SandboxState): void {
  const scratch = `${file}.new`;
  // OCI numbers of a process may be bigint (rlimits); they are kept as text, nothing reads them back.
  const text = JSON.stringify(state, (_, value) => (typeof value === 'bigint' ? value.toString() : value), 1);
  writeFileSync(scratch, `${text}\n`, { mode: 0o600 });
  renameSync(scratch, file);
}

/** Undefined when there is none (yet) or it is not one of ours. */
export function readState(file: string): SandboxState | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isState(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isState(value: unknown): value is SandboxState {
  const state = value as Partial<SandboxState> | null;
  return (
    state?.version === 1 &&
    typeof state.name === 'string' &&
    typeof state.owner?.pid === 'number' &&
    Array.isArray(state.containers) &&
    Array.isArray(state.devices)
  );
}
