/** What the proposals for CDI 1.2.0 add to device nodes. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { LinuxDeviceCgroup } from '@kata-mock/oci-spec';
import type { DeviceCgroupRule, DeviceNode } from '../types.ts';
import { allowRule } from './device-node.ts';
import { hostNode } from './host-node.ts';

/** A pattern as the nodes of the host that match now: none is fine, and what is not a device node does not count. */
export function expandNode(node: DeviceNode): DeviceNode[] {
  if (node.path === '*' || !node.path.includes('*')) return [node];
  const pattern = node.hostPath || node.path;
  return matches(pattern).map((hostPath) => {
    const inContainer = node.hostPath ? path.join(path.dirname(node.path), path.basename(hostPath)) : hostPath;
    return { ...node, path: inContainer, hostPath };
  });
}

/** An allow rule without a node; -1, or no minor, is every number. */
export function ruleOf({ type, major, minor, permissions }: DeviceNode | DeviceCgroupRule): LinuxDeviceCgroup {
  const every = (number: DeviceNode['major']) => (number === undefined || Number(number) === -1 ? undefined : number);
  return allowRule(type as 'b' | 'c', every(major), every(minor), permissions);
}

function matches(pattern: string): string[] {
  let found = ['/'];
  for (const element of pattern.split('/').filter(Boolean)) {
    found = found.flatMap((directory) => {
      if (!element.includes('*')) return [path.join(directory, element)];
      return list(directory)
        .filter((name) => wildcard(element).test(name))
        .map((name) => path.join(directory, name));
    });
  }
  return found.filter(isDeviceNode).sort();
}

function wildcard(element: string): RegExp {
  const parts = element.split(/\*+/).map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^(?!\\.)${parts.join('[^/]*')}$`);
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function isDeviceNode(file: string): boolean {
  const node = hostNode(file);
  return typeof node !== 'string' && node.type !== 'p';
}
