import type { MockAccelOptions } from '../mock-accel/options.ts';

/** The flags of the command line that describe the function. */
export interface FunctionFlags {
  uuid?: string;
  size?: bigint;
  vf?: boolean;
  vfIndex?: number;
  totalVfs?: number;
}

const DEFAULT_TOTAL_VFS = 4;

/**
 * What a function is made with, at the start and when its profile changed: what the original command assumes, the
 * profile instead where it says so, and flags above both.
 */
export function functionOptions(flags: FunctionFlags, profile: MockAccelOptions): MockAccelOptions {
  const defaults = flags.vf || profile.vf ? {} : { totalVfs: DEFAULT_TOTAL_VFS };
  return { ...defaults, ...profile, ...given(flags) };
}

function given(flags: FunctionFlags): MockAccelOptions {
  const options: MockAccelOptions = {};
  if (flags.uuid !== undefined) options.uuid = flags.uuid;
  if (flags.size !== undefined) options.memorySize = flags.size;
  if (flags.vf) options.vf = true;
  if (flags.vfIndex !== undefined) options.vfIndex = flags.vfIndex;
  if (flags.totalVfs !== undefined && !flags.vf) options.totalVfs = flags.totalVfs;
  return options;
}
