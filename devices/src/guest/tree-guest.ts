import { FakeKernel, type FakeTree } from '@kata-mock/pci/testing';
import type { DeviceNode, Guest, Uevent } from './guest.ts';

/** A guest that is a fake tree: writes go to a fake kernel, events come from the tree. */
export class TreeGuest implements Guest {
  readonly sysfs: string;
  readonly arch: string;
  readonly lookAgainMs: number | undefined;
  readonly kernel: FakeKernel;
  readonly #tree: FakeTree;

  /** @param lookAgainMs as in {@link Guest}; Infinity shows that events are told and listened to */
  constructor(tree: FakeTree, arch = 'x86_64', lookAgainMs?: number) {
    this.sysfs = tree.sysfs;
    this.arch = arch;
    this.lookAgainMs = lookAgainMs;
    this.kernel = new FakeKernel(tree);
    this.#tree = tree;
  }

  readNode(path: string): DeviceNode | 'other' | undefined {
    return this.#tree.readNode(path);
  }

  async write(path: string, text: string): Promise<void> {
    this.kernel.write(`/sys${path}`, text);
  }

  onUevent(listener: (event: Uevent) => void): () => void {
    return this.#tree.onUevent(listener);
  }
}
