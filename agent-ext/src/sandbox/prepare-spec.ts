import path from 'node:path';
import type { LinuxNamespace, SpecEditor } from '@kata-mock/oci-spec';
import type { Agent } from '../agent.ts';
import { AgentError } from '../errors.ts';
import { guestHooks } from './guest-hooks.ts';

/** The agent's own edits of a container's spec: where its root is, which namespaces it shares, the guest's hooks. */
export function prepareSpec(agent: Agent, editor: SpecEditor, sharesPids: boolean): void {
  editor.attribute('agent', () => {
    checkRoot(editor.spec.root?.path);
    editor.set(['linux', 'namespaces'], namespaces(agent, editor.spec.linux?.namespaces ?? [], sharesPids));
    for (const { name, hook } of guestHooks(agent.sandbox.guestHookPath)) editor.addHook(name, hook);
  });
}

function checkRoot(root: string | undefined): void {
  if (root !== undefined && path.isAbsolute(root) && !root.split('/').includes('..') && !root.includes('\0')) return;
  throw new AgentError('INVALID_ARGUMENT', `invalid root path ${JSON.stringify(root)}: expected a plain absolute path`);
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
