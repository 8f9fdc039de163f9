import type { LinuxDevice, LinuxNetDevice } from './linux-devices.ts';
import type { LinuxResources } from './linux-resources.ts';
import type { LinuxSeccomp } from './linux-seccomp.ts';
import type { LinuxIdMapping } from './mount.ts';
import type { Int64, StringMap, Uint32 } from './scalars.ts';

/** What only Linux has. */
export interface Linux {
  uidMappings?: LinuxIdMapping[];
  gidMappings?: LinuxIdMapping[];
  sysctl?: StringMap;
  resources?: LinuxResources;
  cgroupsPath?: string;
  namespaces?: LinuxNamespace[];
  /** Nodes that exist in the container; whether they open is up to `resources.devices`. */
  devices?: LinuxDevice[];
  /** By name of the interface on the host. Since 1.3. */
  netDevices?: { [name: string]: LinuxNetDevice };
  seccomp?: LinuxSeccomp;
  rootfsPropagation?: string;
  maskedPaths?: string[];
  readonlyPaths?: string[];
  mountLabel?: string;
  intelRdt?: LinuxIntelRdt;
  /** Since 1.3. */
  memoryPolicy?: LinuxMemoryPolicy;
  personality?: LinuxPersonality;
  /** By clock: `monotonic` or `boottime`. */
  timeOffsets?: { [name: string]: LinuxTimeOffset };
}

export interface LinuxNamespace {
  type: LinuxNamespaceType;
  /** An existing namespace to join; absent: a new one. */
  path?: string;
}

export type LinuxNamespaceType = 'pid' | 'network' | 'mount' | 'ipc' | 'uts' | 'user' | 'cgroup' | 'time';

/** Resource Director Technology. */
export interface LinuxIntelRdt {
  closID?: string;
  /** Lines of the schemata file. Since 1.3. */
  schemata?: string[];
  l3CacheSchema?: string;
  memBwSchema?: string;
  /** Since 1.3; takes the place of the next two. */
  enableMonitoring?: boolean;
  enableCMT?: boolean;
  enableMBM?: boolean;
}

/** set_mempolicy(2). */
export interface LinuxMemoryPolicy {
  mode:
    | 'MPOL_DEFAULT'
    | 'MPOL_BIND'
    | 'MPOL_INTERLEAVE'
    | 'MPOL_WEIGHTED_INTERLEAVE'
    | 'MPOL_PREFERRED'
    | 'MPOL_PREFERRED_MANY'
    | 'MPOL_LOCAL';
  /** Node list such as `0-1`. */
  nodes?: string;
  flags?: ('MPOL_F_NUMA_BALANCING' | 'MPOL_F_RELATIVE_NODES' | 'MPOL_F_STATIC_NODES')[];
}

export interface LinuxPersonality {
  domain: 'LINUX' | 'LINUX32';
  flags?: string[];
}

export interface LinuxTimeOffset {
  secs?: Int64;
  nanosecs?: Uint32;
}
