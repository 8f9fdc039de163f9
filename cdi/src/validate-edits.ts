import { quote } from './errors.ts';
import type { CdiHook, CdiMount, ContainerEdits, DeviceCgroupRule, DeviceNode, IntelRdt, NetDevice } from './types.ts';

/** A broken rule and where, from the edits on. */
export interface EditsFault {
  path: (string | number)[];
  reason: string;
}

const HOOK_NAMES = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'];

/** Whether there is anything to edit. */
export function hasEdits(edits: ContainerEdits): boolean {
  return Boolean(
    edits.env?.length ||
      edits.deviceNodes?.length ||
      edits.netDevices?.length ||
      edits.hooks?.length ||
      edits.mounts?.length ||
      edits.intelRdt ||
      edits.additionalGids?.length ||
      edits.deviceCgroupRules?.length,
  );
}

/** The first broken rule of container edits. */
export function editsFault(edits: ContainerEdits, proposals: boolean): EditsFault | undefined {
  return (
    first('env', edits.env, envFault) ??
    first('deviceNodes', edits.deviceNodes, (node) => deviceNodeFault(node, proposals)) ??
    (edits.netDevices && netDevicesFault(edits.netDevices)) ??
    first('hooks', edits.hooks, hookFault) ??
    first('mounts', edits.mounts, mountFault) ??
    (edits.intelRdt && rdtFault(edits.intelRdt)) ??
    first('deviceCgroupRules', edits.deviceCgroupRules, ruleFault)
  );
}

function first<T>(
  name: string,
  items: T[] | undefined,
  fault: (item: T) => string | undefined,
): EditsFault | undefined {
  if (!items) return undefined;
  for (let index = 0; index < items.length; index++) {
    const reason = fault(items[index] as T);
    if (reason) return { path: [name, index], reason };
  }
  return undefined;
}

function envFault(entry: string): string | undefined {
  if (entry.indexOf('=') > 0) return undefined;
  return `invalid environment variable ${quote(entry)}, it should be NAME=value`;
}

function deviceNodeFault(node: DeviceNode, proposals: boolean): string | undefined {
  const { path, type, permissions } = node;
  if (!path) return 'invalid (empty) device path';
  if (type && !['b', 'c', 'u', 'p'].includes(type))
    return `device ${quote(path)}: invalid type ${quote(type)}, known are b, c, u, p`;
  if (permissions && permissions !== 'none' && !/^[rwm]*$/.test(permissions)) {
    return `device ${quote(path)}: invalid permissions ${quote(permissions)}, letters of "rwm" or "none"`;
  }
  if (!proposals || !path.includes('*')) return undefined;
  return wildcardFault(node);
}

/** Proposals: a path of "*" is a device cgroup rule without a node; any other "*" stands for nodes of the host. */
function wildcardFault(node: DeviceNode): string | undefined {
  const { path, type, major, minor } = node;
  if (path === '*') {
    if (type !== 'b' && type !== 'c')
      return 'device "*": the type must be b or c, since there is no node to take it from';
    return major === undefined ? 'device "*": "major" is missing; -1 means every one' : undefined;
  }
  if (!path.startsWith('/') || /(^|\/)\.\.?(\/|$)/.test(path))
    return `device ${quote(path)}: a pattern must be an absolute path without "." and ".."`;
  if (type || major !== undefined || minor !== undefined) {
    return `device ${quote(path)}: with a pattern, type, major and minor come from the host`;
  }
  return undefined;
}

function netDevicesFault(devices: NetDevice[]): EditsFault | undefined {
  const hosts = new Set<string>();
  const names = new Set<string>();
  return first('netDevices', devices, ({ hostInterfaceName, name }) => {
    if (!hostInterfaceName) return 'invalid (empty) hostInterfaceName';
    if (!name) return `network device ${quote(hostInterfaceName)}: invalid (empty) name`;
    if (hosts.has(hostInterfaceName)) return `network device ${quote(hostInterfaceName)} is there twice`;
    if (names.has(name)) return `two network devices are named ${quote(name)} in the container`;
    hosts.add(hostInterfaceName);
    names.add(name);
    return undefined;
  });
}

function hookFault(hook: CdiHook): string | undefined {
  if (!HOOK_NAMES.includes(hook.hookName)) {
    return `invalid hook name ${quote(hook.hookName ?? '')}, known are ${HOOK_NAMES.join(', ')}`;
  }
  if (!hook.path) return `hook ${quote(hook.hookName)}: invalid (empty) path`;
  for (const entry of hook.env ?? []) {
    const fault = envFault(entry);
    if (fault) return `hook ${quote(hook.hookName)}: ${fault}`;
  }
  return undefined;
}

function mountFault(mount: CdiMount): string | undefined {
  if (!mount.hostPath) return 'invalid mount, empty hostPath';
  if (!mount.containerPath) return 'invalid mount, empty containerPath';
  return undefined;
}

function rdtFault({ closID = '' }: IntelRdt): EditsFault | undefined {
  if (closID === '/') return undefined;
  const bytes = Buffer.byteLength(closID);
  if (bytes < 4096 && closID !== '.' && closID !== '..' && !/[/\n]/.test(closID)) return undefined;
  return {
    path: ['intelRdt', 'closID'],
    reason: `invalid closID ${quote(closID)}: "/", or a directory name of less than 4096 bytes`,
  };
}

function ruleFault({ type, major, minor, permissions }: DeviceCgroupRule): string | undefined {
  if (type !== 'b' && type !== 'c') return `invalid type ${quote(type ?? '')} of a device cgroup rule, b or c`;
  if (major === undefined || major <= 0) return 'a device cgroup rule needs a major number above 0';
  if (minor !== undefined && minor < 0) return 'the minor number of a device cgroup rule must not be negative';
  if (permissions && permissions !== 'none' && !/^[rwm]*$/.test(permissions)) {
    return `invalid permissions ${quote(permissions)} of a device cgroup rule, letters of "rwm" or "none"`;
  }
  return undefined;
}
