/** What stands at a path below /dev. */
export interface DeviceNode {
  readonly type: 'b' | 'c';
  readonly major: number;
  readonly minor: number;
}

/** A kernel event. */
export interface Uevent {
  readonly action: string;
  /** From the sysfs mount point. */
  readonly devpath: string;
}

/**
 * The machine whose devices are handled: a live guest, or a fake tree. Reading is through `sysfs` and `readNode`;
 * the only writing is `write`, to sysfs.
 */
export interface Guest {
  /** Mount point of sysfs, `/sys` in a live guest. */
  readonly sysfs: string;
  /** `x86_64`, `aarch64`, `s390x`, ... as uname prints it. */
  readonly arch: string;
  /** What is at a path such as `/dev/mock0`: a node, `other` for anything that is none, undefined for nothing. */
  readNode(path: string): DeviceNode | 'other' | undefined;
  /**
   * Writes one value to a file given by its path from the sysfs mount point. It ends when the kernel has done what that
   * asks for: a driver that probes a device may take long, and other calls go on meanwhile.
   */
  write(path: string, text: string): Promise<void>;
  /** How often, in ms, to look again although no event came; 100 when left out, Infinity to go by events alone. */
  readonly lookAgainMs?: number | undefined;
  /** Subscribes to kernel events; returns how to end that. */
  onUevent(listener: (event: Uevent) => void): () => void;
}
