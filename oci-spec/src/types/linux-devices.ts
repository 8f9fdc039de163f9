import type { Int64, Uint32 } from './scalars.ts';

/** A device node to create. */
export interface LinuxDevice {
  /** Path in the container. */
  path: string;
  /** Character, unbuffered character, block, fifo. */
  type: LinuxDeviceType;
  major?: Int64;
  minor?: Int64;
  /** Permission bits; the runtime's default is 0666. */
  fileMode?: Uint32;
  uid?: Uint32;
  gid?: Uint32;
}

export type LinuxDeviceType = 'c' | 'u' | 'b' | 'p';

/** One rule of the device cgroup; later rules win. */
export interface LinuxDeviceCgroup {
  allow: boolean;
  /** `a` all, `c` character, `b` block; absent means all. */
  type?: 'a' | 'c' | 'b' | 'u' | '';
  /** Absent, or -1, means every number. */
  major?: Int64;
  minor?: Int64;
  /** Letters of read, write, mknod. */
  access?: string;
}

/** A network interface moved into the container. */
export interface LinuxNetDevice {
  /** Its name there; the host's if absent. */
  name?: string;
}
