/** Fake PCI machines for tests: see README.md in this folder. */
export type {
  FunctionDescription,
  MockAccelDescription,
  RootDescription,
  ScsiDiskDescription,
  TreeDescription,
  VirtioDescription,
} from './description.ts';
export { FakeKernel } from './fake-kernel.ts';
export { FakeTree, type FakeUevent, type UeventListener } from './fake-tree.ts';
export { type FakeNode, parseNode, readNode, writeNode } from './nodes.ts';
export { snapshotTree } from './snapshot.ts';
