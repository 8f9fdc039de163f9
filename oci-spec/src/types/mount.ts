import type { Uint32 } from './scalars.ts';

/** A mount besides the root. */
export interface Mount {
  /** Absolute path in the container. */
  destination: string;
  /** File system type; `bind` or `none` for binds. */
  type?: string;
  /** Device, or host path for binds. */
  source?: string;
  /** As in fstab, plus the runtime's own such as `rbind` and `idmap`. */
  options?: string[];
  uidMappings?: LinuxIdMapping[];
  gidMappings?: LinuxIdMapping[];
}

/** One range of ids of a user namespace. */
export interface LinuxIdMapping {
  /** First id in the container. */
  containerID: Uint32;
  /** First id on the host. */
  hostID: Uint32;
  /** How many ids. */
  size: Uint32;
}
