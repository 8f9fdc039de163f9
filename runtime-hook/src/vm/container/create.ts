/** One container in a running sandbox: its files shared, its spec made the guest's, created and started. */
import { type Spec, SpecEditor } from '@kata-mock/oci-spec';
import type { Agent } from '../../agent-client/agent.ts';
import { constrain } from '../../agent-client/constrain.ts';
import { guestRootPath, guestSharePath } from '../../agent-client/guest-paths.ts';
import { specToWire } from '../../agent-client/spec-to-wire.ts';
import { Cleanup } from '../lifecycle/cleanup.ts';
import type { RootfsMode } from '../share/protocol.ts';
import type { Share } from '../share/share.ts';
import { type SharedBind, sharedBinds } from './binds.ts';

export interface ContainerRequest {
  id: string;
  /** As a container engine wrote it. */
  spec: Spec;
  /** On the host, absolute. */
  rootfs: string;
  rootfsMode: RootfsMode;
  bundle?: string | undefined;
  /** Kata's: the sandbox's own container, or one more in it. */
  kind: 'single_container' | 'pod_container';
}

/** What a container needs of the sandbox it runs in. */
export interface Host {
  share: Pick<Share, 'call'>;
  agent: Pick<Agent, 'createContainer' | 'updateResources' | 'startContainer' | 'removeContainer'>;
}

export interface CreateStages {
  onStage(stage: 'create container' | 'start container'): void;
}

/** Resolves when the container's process runs. A failure undoes what was done and leaves the sandbox as it was. */
export async function createContainer(host: Host, request: ContainerRequest, stages: CreateStages): Promise<void> {
  const { id } = request;
  const undo = new Cleanup(() => {});
  try {
    stages.onStage('create container');
    undo.defer('share', () => host.share.call('remove', { containerId: id }));
    await host.share.call('addRootfs', { containerId: id, source: request.rootfs, mode: request.rootfsMode });
    const binds = sharedBinds(id, request.spec.mounts ?? [], request.bundle);
    for (const { name, source, readonly, recursive } of binds) {
      await host.share.call('addBind', { containerId: id, name, source, readonly, recursive });
    }
    const { wire, sandboxPidns } = guestSpec(request, binds);
    await host.agent.createContainer({ containerId: id, execId: id, OCI: wire, sandboxPidns });
    undo.defer('container', () => host.agent.removeContainer(id));
    await host.agent.updateResources();
    stages.onStage('start container');
    await host.agent.startContainer(id);
  } catch (error) {
    await undo.run();
    throw error;
  }
}

/** Takes a container away whose process has ended. */
export async function removeContainer(host: Host, id: string): Promise<void> {
  await host.agent.removeContainer(id);
  await host.share.call('remove', { containerId: id });
}

function guestSpec({ id, spec, bundle, kind }: ContainerRequest, binds: SharedBind[]) {
  const editor = new SpecEditor(spec);
  editor.annotations.set('io.katacontainers.pkg.oci.bundle_path', bundle ?? '');
  editor.annotations.set('io.katacontainers.pkg.oci.container_type', kind);
  const wire = specToWire(editor.result());
  const guestSource = ({ destination }: { destination: string }) => {
    const bind = binds.find((each) => each.destination === destination);
    return bind && `${guestSharePath}${bind.name}`;
  };
  return { wire, ...constrain(wire, { rootPath: guestRootPath(id), guestSource }) };
}
