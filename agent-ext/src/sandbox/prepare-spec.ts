import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { LinuxNamespace, SpecEditor } from '@kata-mock/oci-spec';
import { readAttribute } from '@kata-mock/pci';
import type { Agent } from '../agent.ts';
import { AgentError } from '../errors.ts';
import { atPlace, checkBelow, openBelow } from '../storage/safe-path.ts';
import { guestHooks } from './guest-hooks.ts';

/** The agent's own edits of a container's spec: where its root is, which namespaces it shares, the guest's hooks. */
export async function prepareSpec(
  agent: Agent,
  editor: SpecEditor,
  containerId: string,
  sharesPids: boolean,
): Promise<void> {
  await checkRoot(agent.paths.base, editor.spec.root?.path);
  const hooks = await guestHooks(agent.sandbox.guestHookPath);
  editor.attribute('agent', () => {
    checkCgroup(agent.paths.cgroup, editor.spec.linux?.cgroupsPath || `/${containerId}`);
    editor.set(['linux', 'namespaces'], namespaces(agent, editor.spec.linux?.namespaces ?? [], sharesPids));
    for (const { name, hook } of hooks) editor.addHook(name, hook);
  });
}

/** A root is a directory of the agent's tree that no link leads out of: runc would follow one to the guest's own files. */
async function checkRoot(base: string, root = ''): Promise<void> {
  checkBelow(base, root, 'root path');
  if ((await atPlace(openBelow(base, root), (place) => stat(place))).isDirectory()) return;
  throw new AgentError('INVALID_ARGUMENT', `invalid root path ${JSON.stringify(root)}: it is no directory`);
}

/**
 * A container has its cgroup for itself: signals to all of it, its limits and its removal would reach whoever else is in
 * there. runc puts containers in each other's cgroup without a word.
 */
function checkCgroup(root: string, cgroup: string): void {
  const refuse = (why: string) => {
    throw new AgentError('INVALID_ARGUMENT', `invalid cgroups path ${JSON.stringify(cgroup)}: ${why}`);
  };
  if (cgroup.includes('\0') || cgroup.split('/').includes('..')) refuse('expected no ".."');
  // The topmost is everybody's; it has no such file.
  if (path.normalize(`/${cgroup}/`) === '/') refuse('there are processes in it');
  const events = readAttribute(path.join(root, cgroup), 'cgroup.events') ?? '';
  if (/^populated 1$/m.test(events)) refuse('there are processes in it');
}

/**
 * A pod's containers share IPC and UTS with its pause container, and pids when the pod says so; everything else has
 * its own. Kata's shim takes the pid namespace out of the spec and sends a flag instead.
 */
function namespaces(agent: Agent, asked: readonly LinuxNamespace[], sharesPids: boolean): LinuxNamespace[] {
  const pause = agent.sandbox.pause();
  const shared = (kind: 'ipc' | 'uts' | 'pid') => (pause ? { path: `/proc/${pause.init.pid}/ns/${kind}` } : {});
  const others = asked.filter(({ type }) => type !== 'pid');
  return [
    ...others.map((namespace): LinuxNamespace => {
      const { type } = namespace;
      const isSharable = (type === 'ipc' || type === 'uts') && namespace.path === undefined;
      return isSharable ? { type, ...shared(type) } : namespace;
    }),
    { type: 'pid', ...(sharesPids ? shared('pid') : {}) },
  ];
}
