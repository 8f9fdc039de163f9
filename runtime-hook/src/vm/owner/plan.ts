import type { Spec } from '@kata-mock/oci-spec';
import type { Artefacts } from '../../artefacts/artefacts.ts';
import type { SandboxPaths } from '../sandbox/paths.ts';

/** Everything decided before a VM is started. */
export interface SandboxPlan {
  paths: SandboxPaths;
  runDir: string;
  artefacts: Artefacts;
  /** The hook's wrapper, which becomes QEMU. */
  wrapper: string;
  accel: 'kvm' | 'tcg';
  memoryMiB: number;
  cpus: number;
  /** config.json in QEMU's working directory: the hook reads the devices from its annotations. */
  spec: Spec;
  kernelParams: string[];
  /** What happens when the device host dies: the VM ends, or its guest sees dead devices. */
  onDeviceLoss: 'stop' | 'keep';
  verbose: boolean;
  /** How long the guest may take until its agent answers; Kata's dial timeout. */
  bootTimeoutMs: number;
}
