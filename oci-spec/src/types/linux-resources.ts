import type { LinuxDeviceCgroup } from './linux-devices.ts';
import type { Int64, StringMap, Uint16, Uint32, Uint64 } from './scalars.ts';

/** cgroup limits. */
export interface LinuxResources {
  devices?: LinuxDeviceCgroup[];
  memory?: LinuxMemory;
  cpu?: LinuxCpu;
  pids?: LinuxPids;
  blockIO?: LinuxBlockIo;
  hugepageLimits?: LinuxHugepageLimit[];
  network?: LinuxNetwork;
  /** By RDMA device, such as `mlx5_1`. */
  rdma?: { [name: string]: LinuxRdma };
  /** cgroup v2 files by name. */
  unified?: StringMap;
}

/** Bytes; -1 is unlimited. */
export interface LinuxMemory {
  limit?: Int64;
  reservation?: Int64;
  swap?: Int64;
  kernel?: Int64;
  kernelTCP?: Int64;
  swappiness?: Uint64;
  disableOOMKiller?: boolean;
  useHierarchy?: boolean;
  checkBeforeUpdate?: boolean;
}

/** Times in microseconds. */
export interface LinuxCpu {
  shares?: Uint64;
  quota?: Int64;
  burst?: Uint64;
  period?: Uint64;
  realtimeRuntime?: Int64;
  realtimePeriod?: Uint64;
  /** CPU list such as `0-3`. */
  cpus?: string;
  /** Memory node list. */
  mems?: string;
  idle?: Int64;
}

export interface LinuxPids {
  /** -1 is unlimited. */
  limit?: Int64;
}

export interface LinuxBlockIo {
  weight?: Uint16;
  leafWeight?: Uint16;
  weightDevice?: LinuxWeightDevice[];
  throttleReadBpsDevice?: LinuxThrottleDevice[];
  throttleWriteBpsDevice?: LinuxThrottleDevice[];
  throttleReadIOPSDevice?: LinuxThrottleDevice[];
  throttleWriteIOPSDevice?: LinuxThrottleDevice[];
}

export interface LinuxWeightDevice {
  major: Int64;
  minor: Int64;
  weight?: Uint16;
  leafWeight?: Uint16;
}

export interface LinuxThrottleDevice {
  major: Int64;
  minor: Int64;
  /** Bytes or operations a second. */
  rate: Uint64;
}

export interface LinuxHugepageLimit {
  /** Such as `2MB`. */
  pageSize: string;
  /** Bytes. */
  limit: Uint64;
}

export interface LinuxNetwork {
  classID?: Uint32;
  priorities?: LinuxInterfacePriority[];
}

export interface LinuxInterfacePriority {
  name: string;
  priority: Uint32;
}

export interface LinuxRdma {
  hcaHandles?: Uint32;
  hcaObjects?: Uint32;
}
