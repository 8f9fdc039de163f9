import { rmSync } from 'node:fs';
import path from 'node:path';
import { readNamesIfAny } from '../sysfs-names.ts';
import type { FunctionDescription, MockAccelDescription, VirtioDescription } from './description.ts';
import { attribute, link, put } from './files.ts';
import { type FakeNode, parseNode, writeNode } from './nodes.ts';

/** Root directories of one tree. */
export interface TreeRoots {
  readonly sysfs: string;
  readonly dev: string;
}

/** What a driver makes of a function: a directory with attributes, links to it, and a node when it has numbers. */
export interface ClassDevice {
  readonly subsystem: string;
  readonly name: string;
  /** From the sysfs mount point. */
  readonly devpath: string;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** Its path from /dev and its numbers. */
  readonly node?: FakeNode & { readonly name: string };
  /** Target of its `device` link, from the sysfs mount point. */
  readonly parent?: string;
  /** Buses list their devices elsewhere. */
  readonly isOnBus?: boolean;
}

/** The class devices that a function's own driver makes, parents first. */
export function classDevicesOf(devpath: string, description: FunctionDescription): ClassDevice[] {
  const { mockAccel, virtio, numaNode = -1 } = description;
  return [
    ...(mockAccel ? [mockAccelDevice(devpath, numaNode, mockAccel)] : []),
    ...(virtio ? virtioDevices(devpath, virtio) : []),
  ];
}

export function writeClassDevice({ sysfs, dev }: TreeRoots, device: ClassDevice): void {
  const { subsystem, name, devpath, attributes, node, parent, isOnBus } = device;
  const directory = sysfs + devpath;
  for (const [key, value] of Object.entries(attributes)) attribute(directory, key, value);
  const lines = Object.entries(eventEnv(device)).map(([key, value]) => `${key}=${value}\n`);
  put(path.join(directory, 'uevent'), lines.join(''));
  if (parent !== undefined) link(path.join(directory, 'device'), sysfs + parent);
  if (!isOnBus) {
    link(path.join(directory, 'subsystem'), path.join(sysfs, 'class', subsystem));
    link(path.join(sysfs, 'class', subsystem, name), directory);
  }
  if (!node) return;
  attribute(directory, 'dev', `${node.major}:${node.minor}`);
  link(numbersLink(sysfs, node), directory);
  writeNode(path.join(dev, node.name), node);
}

/** With everything that leads to it. */
export function removeClassDevice({ sysfs, dev }: TreeRoots, device: ClassDevice): void {
  const { subsystem, name, devpath, node } = device;
  rmSync(sysfs + devpath, { recursive: true, force: true });
  const folder = path.dirname(devpath);
  // The directory between a function and its devices of one class is there for them alone.
  if (path.basename(folder) === subsystem && readNamesIfAny(sysfs + folder).length === 0) {
    rmSync(sysfs + folder, { recursive: true, force: true });
  }
  rmSync(path.join(sysfs, 'class', subsystem, name), { force: true });
  if (!node) return;
  rmSync(numbersLink(sysfs, node), { force: true });
  rmSync(path.join(dev, node.name), { force: true });
}

/** What its events say beside action and path. */
export function eventEnv({ node }: ClassDevice): Record<string, string> {
  return node ? { MAJOR: `${node.major}`, MINOR: `${node.minor}`, DEVNAME: node.name } : {};
}

function numbersLink(sysfs: string, { type, major, minor }: FakeNode): string {
  return path.join(sysfs, 'dev', type === 'b' ? 'block' : 'char', `${major}:${minor}`);
}

function mockAccelDevice(functionPath: string, numaNode: number, mock: MockAccelDescription): ClassDevice {
  return {
    subsystem: 'mock-accel',
    name: mock.name,
    devpath: `${functionPath}/mock-accel/${mock.name}`,
    attributes: {
      uuid: mock.uuid,
      memory_size: mock.memorySize ?? '17179869184',
      numa_node: numaNode,
      capabilities: '0x00000001',
      status: '0x00000001',
      fw_version: '1.0.0',
    },
    node: { ...parseNode(mock.node), name: mock.name },
    parent: functionPath,
  };
}

function virtioDevices(functionPath: string, { index, block, net, scsi }: VirtioDescription): ClassDevice[] {
  const devpath = `${functionPath}/virtio${index}`;
  const hostPath = `${devpath}/host${scsi?.host}`;
  return [
    { subsystem: 'virtio', name: `virtio${index}`, devpath, attributes: {}, isOnBus: true },
    ...(block ? [blockDevice(devpath, block)] : []),
    ...(net ? [{ subsystem: 'net', name: net, devpath: `${devpath}/net/${net}`, attributes: NET_ATTRIBUTES }] : []),
    ...(scsi
      ? [
          {
            subsystem: 'scsi_host',
            name: `host${scsi.host}`,
            devpath: `${hostPath}/scsi_host/host${scsi.host}`,
            attributes: { scan: '' },
          },
          ...scsi.disks.map((disk) => {
            const [target, lun] = disk.at.split(':');
            return blockDevice(`${hostPath}/target${scsi.host}:0:${target}/${scsi.host}:0:${target}:${lun}`, disk);
          }),
        ]
      : []),
  ];
}

const NET_ATTRIBUTES = { address: '52:54:00:00:00:01' };

function blockDevice(parent: string, { name, node }: { name: string; node: string }): ClassDevice {
  return {
    subsystem: 'block',
    name,
    devpath: `${parent}/block/${name}`,
    attributes: {},
    node: { ...parseNode(node), name },
    parent,
  };
}
