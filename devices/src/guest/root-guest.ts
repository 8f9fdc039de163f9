import path from 'node:path';
import { readNode } from '@kata-mock/pci/testing';
import type { DeviceNode, Guest } from './guest.ts';

/**
 * A directory that holds `sys/` and `dev/`: a fake tree on disk, an unpacked snapshot, or `/` itself. For looking only:
 * it refuses to be written to and nothing ever comes or goes.
 */
export class RootGuest implements Guest {
  readonly sysfs: string;
  readonly arch: string;
  readonly #root: string;

  constructor(root: string, arch = 'x86_64') {
    this.#root = root;
    this.sysfs = path.join(root, 'sys');
    this.arch = arch;
  }

  readNode(file: string): DeviceNode | 'other' | undefined {
    return readNode(path.join(this.#root, file));
  }

  async write(file: string): Promise<never> {
    throw new Error(`a guest that is only looked at is not written to: ${file}`);
  }

  onUevent(): () => void {
    return () => {};
  }
}
