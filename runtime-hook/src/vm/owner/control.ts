/** What others may ask the owner of a sandbox; see control/protocol.ts. */
import type { Server } from 'node:net';
import { parseSpec } from '@kata-mock/oci-spec';
import { KataMockError } from '../../errors.ts';
import type { CreateContainerParams } from '../control/protocol.ts';
import { type ControlPeer, serveControl } from '../control/server.ts';
import { checkName } from '../sandbox/paths.ts';
import type { Sandbox } from './sandbox.ts';

type Handler = (sandbox: Sandbox, params: unknown, peer: ControlPeer) => Promise<unknown>;

const handlers: Record<string, Handler> = {
  status: async (sandbox) => sandbox.state,

  createContainer: async (sandbox, params, peer) => {
    const { id, spec, rootfs, rootfsMode, bundle, describeDevices } = params as CreateContainerParams;
    const request = {
      id: checkName(id, 'container name'),
      spec: parseSpec(spec),
      rootfs,
      rootfsMode,
      bundle,
      kind: 'pod_container' as const,
    };
    await sandbox.createContainer(request, { describeDevices });
    peer.onGone(() => void sandbox.removeContainer(id).catch(() => {}));
    return { id };
  },

  removeContainer: async (sandbox, params) => {
    await sandbox.removeContainer((params as { id: string }).id);
    return {};
  },
};

export function serveOwner(sandbox: Sandbox, path: string): Promise<Server> {
  return serveControl(path, async (method, params, peer) => {
    const handler = Object.hasOwn(handlers, method) ? handlers[method] : undefined;
    if (!handler) throw new KataMockError('USAGE', `the owner of a sandbox knows no method ${JSON.stringify(method)}`);
    return handler(sandbox, params, peer);
  });
}
