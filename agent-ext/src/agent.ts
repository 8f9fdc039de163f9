import type { Inventory } from '@kata-mock/contracts';
import { GUEST_CDI_DIRECTORY, type Guest, type GuestCdiSpecs } from '@kata-mock/devices';
import type { AgentConfig } from './config/config.ts';
import type { Reaper } from './init/reaper.ts';
import type { Log } from './log.ts';
import type { Runc } from './runc/runc.ts';
import type { OomEvents } from './sandbox/oom-events.ts';
import type { Sandbox } from './sandbox/sandbox.ts';
import type { Storages } from './storage/storages.ts';

/** Everything the service handlers work with. */
export interface Agent {
  readonly version: string;
  readonly config: AgentConfig;
  readonly log: Log;
  readonly guest: Guest;
  readonly inventory: Inventory | undefined;
  readonly cdi: GuestCdiSpecs;
  readonly sandbox: Sandbox;
  readonly storages: Storages;
  readonly runc: Runc;
  readonly reaper: Reaper;
  readonly oom: OomEvents;
  readonly paths: AgentPaths;
  /** Whether the agent is the guest's first program and ends the machine with the sandbox. */
  readonly isInit: boolean;
  /** Resolves when modules are loaded and the inventory is read; nothing about devices works before. */
  readonly devicesReady: Promise<void>;
  /** Called after DestroySandbox was answered. */
  end(): void;
}

/** Where the agent keeps things; tests move it all below one directory. */
export interface AgentPaths {
  /** `/run/kata-containers`: Kata's shims name storages and roots below it. */
  readonly base: string;
  /**
   * `/run/kata-mock-agent`: bundles, runc's state and files of the agent's own. Not below {@link base}, where requests
   * may mount over anything and write any file.
   */
  readonly state: string;
  /** `/sys/fs/cgroup` */
  readonly cgroup: string;
  /** `/etc/resolv.conf` */
  readonly resolvConf: string;
  /** `/var/run/cdi`, the only directory of CDI specs that counts in a guest. */
  readonly cdi: string;
}

/** The places in a guest. */
export const guestPaths: AgentPaths = {
  base: '/run/kata-containers',
  state: '/run/kata-mock-agent',
  cgroup: '/sys/fs/cgroup',
  resolvConf: '/etc/resolv.conf',
  cdi: GUEST_CDI_DIRECTORY,
};
