/** The thread that owns the share's mount namespace; processes it starts are in that namespace too. */
import { spawn } from 'node:child_process';
import { parentPort } from 'node:worker_threads';
import { ShareMounts } from './mounts.ts';
import type { ShareCalls, ShareMessage, ShareRequest } from './protocol.ts';

let mounts: ShareMounts | undefined;
const port = parentPort!;
const post = (message: ShareMessage) => port.postMessage(message);

function ready(): ShareMounts {
  if (!mounts) throw new Error('the share is not initialised');
  return mounts;
}

const calls: ShareCalls = {
  init({ dir, sizeBytes }) {
    mounts = new ShareMounts(dir, sizeBytes);
  },
  addRootfs({ containerId, source, mode }) {
    ready().addRootfs(containerId, source, mode);
  },
  addBind({ containerId, name, source, readonly, recursive }) {
    ready().addBind(containerId, name, source, { readonly, recursive });
  },
  remove({ containerId }) {
    ready().remove(containerId);
  },
  spawn({ command, args, fd, logFd }) {
    // Own session: a Ctrl-C at the terminal is for us to handle, not for the file server.
    const child = spawn(command, args, { stdio: ['ignore', logFd, logFd, fd], detached: true });
    child.once('exit', (code, signal) => post({ kind: 'ended', pid: child.pid ?? 0, code, signal }));
    if (child.pid === undefined) {
      // 'error' follows with the reason; it is the caller's answer already.
      child.once('error', () => {});
      throw new Error(`${command} cannot be started`);
    }
    return { pid: child.pid };
  },
};

port.on('message', ({ id, method, params }: ShareRequest) => {
  try {
    const call = calls[method] as (params: unknown) => unknown;
    post({ kind: 'result', id, result: call(params) });
  } catch (error) {
    const code = (error as { code?: string }).code;
    post({ kind: 'error', id, message: (error as Error).message, code });
  }
});
