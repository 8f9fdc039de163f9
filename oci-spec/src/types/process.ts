import type { Int32, Uint32, Uint64 } from './scalars.ts';

/** The container's first process, or an exec'ed one. */
export interface Process {
  terminal?: boolean;
  consoleSize?: Box;
  user?: User;
  args?: string[];
  /** Windows only. */
  commandLine?: string;
  /** `NAME=value` entries. */
  env?: string[];
  /** Absolute working directory. */
  cwd: string;
  capabilities?: LinuxCapabilities;
  rlimits?: PosixRlimit[];
  noNewPrivileges?: boolean;
  apparmorProfile?: string;
  /** -1000 to 1000. */
  oomScoreAdj?: Int32;
  scheduler?: Scheduler;
  selinuxLabel?: string;
  ioPriority?: LinuxIoPriority;
  /** Since 1.2.1. */
  execCPUAffinity?: CpuAffinity;
}

/** Size of a console, in characters. */
export interface Box {
  height: Uint32;
  width: Uint32;
}

export interface User {
  uid?: Uint32;
  gid?: Uint32;
  umask?: Uint32;
  /** @itemsRef Uint32 */
  additionalGids?: Uint32[];
  /** Windows only. */
  username?: string;
}

/** Capability names, such as `CAP_NET_ADMIN`, by set. */
export interface LinuxCapabilities {
  bounding?: string[];
  effective?: string[];
  inheritable?: string[];
  permitted?: string[];
  ambient?: string[];
}

export interface PosixRlimit {
  /** Such as `RLIMIT_NOFILE`. */
  type: string;
  hard: Uint64;
  soft: Uint64;
}

/** sched_setattr(2). */
export interface Scheduler {
  policy: SchedulerPolicy;
  nice?: Int32;
  priority?: Int32;
  flags?: SchedulerFlag[];
  /** Nanoseconds, SCHED_DEADLINE only, as the next two. */
  runtime?: Uint64;
  deadline?: Uint64;
  period?: Uint64;
}

export type SchedulerPolicy =
  | 'SCHED_OTHER'
  | 'SCHED_FIFO'
  | 'SCHED_RR'
  | 'SCHED_BATCH'
  | 'SCHED_ISO'
  | 'SCHED_IDLE'
  | 'SCHED_DEADLINE';

export type SchedulerFlag =
  | 'SCHED_FLAG_RESET_ON_FORK'
  | 'SCHED_FLAG_RECLAIM'
  | 'SCHED_FLAG_DL_OVERRUN'
  | 'SCHED_FLAG_KEEP_POLICY'
  | 'SCHED_FLAG_KEEP_PARAMS'
  | 'SCHED_FLAG_UTIL_CLAMP_MIN'
  | 'SCHED_FLAG_UTIL_CLAMP_MAX';

export interface LinuxIoPriority {
  class: 'IOPRIO_CLASS_RT' | 'IOPRIO_CLASS_BE' | 'IOPRIO_CLASS_IDLE';
  priority: Int32;
}

/** CPU lists such as `0-3,7`. */
export interface CpuAffinity {
  /** While the runtime moves the process into its cgroup. */
  initial?: string;
  /** Once it is there. */
  final?: string;
}
