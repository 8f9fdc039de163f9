import { lstatSync, type Stats } from 'node:fs';

/** A device node of this host. */
export interface HostNode {
  type: 'b' | 'c' | 'p';
  major: number;
  minor: number;
  /** Permission bits. */
  fileMode: number;
}

/**
 * Looks at a device node; a link is not followed, since the container's node would not follow it either.
 * @returns the node, or why there is none
 */
export function hostNode(path: string): HostNode | string {
  let stats: Stats | undefined;
  try {
    stats = lstatSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    return `${path}: ${(cause as NodeJS.ErrnoException).code}`;
  }
  if (!stats) return `${path} does not exist`;
  const fileMode = stats.mode & 0o7777;
  if (stats.isFIFO()) return { type: 'p', major: 0, minor: 0, fileMode };
  const type = stats.isBlockDevice() ? 'b' : stats.isCharacterDevice() ? 'c' : undefined;
  return type ? { type, ...deviceNumbers(stats.rdev), fileMode } : `${path} is not a device node`;
}

/** Major and minor as the C library's gnu_dev_major and gnu_dev_minor take them from a dev_t. */
function deviceNumbers(device: number): { major: number; minor: number } {
  const high = Math.floor(device / 2 ** 32);
  const low = device >>> 0;
  return {
    major: ((low >>> 8) & 0xfff) + (high & ~0xfff),
    minor: (low & 0xff) + ((low >>> 12) & 0xfff00) + (high & 0xfff) * 2 ** 20,
  };
}
