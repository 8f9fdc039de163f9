import type { InventoryDevice } from '@kata-mock/contracts';

/** What the hook recorded about a VM it started. */
export interface PlannedVm {
  /** Sockets, state and log of its device host. */
  directory: string;
  /** In the order of their index. */
  devices: InventoryDevice[];
}

export interface HookView {
  /** Undefined for a VM without devices: the hook leaves no trace of it. */
  find(runDir: string, sandboxId: string): PlannedVm | undefined;
}
