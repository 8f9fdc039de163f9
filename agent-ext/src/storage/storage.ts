import type { Storage } from '@kata-mock/contracts';
import type { Guest } from '@kata-mock/devices';

/** What a storage driver may use. */
export interface StorageContext {
  readonly guest: Guest;
  /** Everything is mounted below this directory. */
  readonly base: string;
  /** A directory of the agent's own, for what must not be within reach of requests. */
  readonly state: string;
  readonly hotplugTimeoutMs: number;
  /** How often watched directories are looked at; 2 s when absent. */
  readonly watchIntervalMs?: number;
  /** Told what is odd and no error. */
  warn?(message: string): void;
}

/** Undoes what `mount` did; absent when there is nothing to undo. */
export type Unmount = () => Promise<void>;

/**
 * One kind of storage: one file in this folder. Disks and file servers may take their time or never answer, so whatever
 * asks them is done on other threads: the agent answers other calls meanwhile.
 */
export interface StorageDriver {
  /** The `driver` values it serves. */
  readonly names: readonly string[];
  mount(context: StorageContext, storage: Storage): Promise<Unmount | undefined>;
}
