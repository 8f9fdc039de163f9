import path from 'node:path';
import type { MockAccelDescription, ScsiDiskDescription, VirtioDescription } from './description.ts';
import { attribute, link, put } from './files.ts';
import { type FakeNode, parseNode, writeNode } from './nodes.ts';

/** Root directories of one tree. */
export interface TreeRoots {
  readonly sysfs: string;
  readonly dev: string;
}

/** The class device, node and links that the mock-accel driver makes below its function. */
export function addMockAccel(
  roots: TreeRoots,
  functionDir: string,
  numaNode: number,
  mock: MockAccelDescription,
): void {
  const directory = path.join(functionDir, 'mock-accel', mock.name);
  attribute(directory, 'uuid', mock.uuid);
  attribute(directory, 'memory_size', mock.memorySize ?? '17179869184');
  attribute(directory, 'numa_node', numaNode);
  attribute(directory, 'capabilities', '0x00000001');
  attribute(directory, 'status', '0x00000001');
  attribute(directory, 'fw_version', '1.0.0');
  link(path.join(directory, 'device'), functionDir);
  link(path.join(directory, 'subsystem'), path.join(roots.sysfs, 'class/mock-accel'));
  link(path.join(roots.sysfs, 'class/mock-accel', mock.name), directory);
  addNode(roots, directory, mock.name, parseNode(mock.node));
}

export function addVirtio(roots: TreeRoots, functionDir: string, virtio: VirtioDescription): void {
  const directory = path.join(functionDir, `virtio${virtio.index}`);
  put(path.join(directory, 'uevent'), `MODALIAS=virtio:d00000002v00001AF4\n`);
  if (virtio.block) {
    addNode(roots, path.join(directory, 'block', virtio.block.name), virtio.block.name, parseNode(virtio.block.node));
  }
  if (virtio.net) attribute(path.join(directory, 'net', virtio.net), 'address', '52:54:00:00:00:01');
  if (virtio.scsi) addScsi(roots, path.join(directory, `host${virtio.scsi.host}`), virtio.scsi.host, virtio.scsi.disks);
}

function addScsi(roots: TreeRoots, hostDir: string, host: number, disks: readonly ScsiDiskDescription[]): void {
  attribute(path.join(hostDir, 'scsi_host', `host${host}`), 'scan', '');
  link(path.join(roots.sysfs, 'class/scsi_host', `host${host}`), path.join(hostDir, 'scsi_host', `host${host}`));
  for (const disk of disks) {
    const [target, lun] = disk.at.split(':');
    const device = path.join(hostDir, `target${host}:0:${target}`, `${host}:0:${target}:${lun}`);
    addNode(roots, path.join(device, 'block', disk.name), disk.name, parseNode(disk.node));
  }
}

/** A class device with numbers: its `dev` and `uevent` attributes, the /sys/dev link and the node. */
export function addNode(roots: TreeRoots, directory: string, name: string, node: FakeNode): void {
  const numbers = `${node.major}:${node.minor}`;
  attribute(directory, 'dev', numbers);
  put(path.join(directory, 'uevent'), `MAJOR=${node.major}\nMINOR=${node.minor}\nDEVNAME=${name}\n`);
  link(path.join(roots.sysfs, 'dev', node.type === 'b' ? 'block' : 'char', numbers), directory);
  writeNode(path.join(roots.dev, name), node);
}
