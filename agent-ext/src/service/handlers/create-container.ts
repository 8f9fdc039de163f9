import { fromCreateContainer, handleDevices } from '@kata-mock/devices';
import type { Agent } from '../../agent.ts';
import { loadModules } from '../../init/modules.ts';
import { cgroupOf } from '../../sandbox/cgroup-path.ts';
import { Container } from '../../sandbox/container.ts';
import { checkId } from '../../sandbox/ids.ts';
import { prepareSpec } from '../../sandbox/prepare-spec.ts';
import { terminationLogOf } from '../../sandbox/termination-log.ts';
import { UndoStack } from '../../undo.ts';
import { checkSupported } from '../check-supported.ts';
import type { Method } from '../method.ts';

/** Devices, environment, CDI, storages, namespaces, hooks, bundle, create: whatever fails, the sandbox is as before. */
export const createContainer: Method<'createContainer'> = (agent) => async (message, context) => {
  const { sandbox, storages, runc, log } = agent;
  const { containerId } = message;
  checkId('container id', containerId);
  if (message.execId !== '') checkId('exec id', message.execId);
  checkSupported(message);
  const request = fromCreateContainer(message);
  const undo = new UndoStack();
  const making = sandbox.makings.begin();
  try {
    sandbox.reserve(containerId);
    undo.add('reservation', () => sandbox.release(containerId));
    await agent.devicesReady;
    const warn = (text: string) => log.warn({ container: containerId }, text);
    const { guest, inventory, cdi, config } = agent;
    const signal = AbortSignal.any([context.signal, making.signal]);
    const began = performance.now();
    if (request.devices.some(({ type }) => type === 'vfio-pci')) await loadModules(agent.reaper, log, ['vfio-pci']);
    const handled = await handleDevices({ guest, inventory, settings: config.devices, cdi, signal, warn }, request);
    undo.add('drivers', handled.undo);
    const acquired: string[] = [];
    for (const storage of message.storages) {
      const key = await storages.acquire(storage);
      acquired.push(key);
      undo.add(`storage ${key}`, () => storages.release(key));
    }
    await prepareSpec(agent, handled.editor, containerId, message.sandboxPidns || sandbox.sharedPidNamespace);
    const spec = handled.editor.result();
    const specAt = performance.now();
    const init = await runc.create(containerId, spec);
    const createdAt = performance.now();
    undo.add('container', async () => {
      await removeCreated(agent, containerId);
      init.io.close();
    });
    const cgroup = cgroupOf(init.pid);
    const container = new Container({
      id: containerId,
      init,
      bundle: runc.bundle(containerId),
      cgroup,
      addresses: handled.plan.addresses,
      storages: acquired,
      isPause: spec.annotations?.['io.katacontainers.pkg.oci.container_type'] === 'pod_sandbox',
      terminationLog: terminationLogOf(spec),
    });
    watchMemory(agent, container);
    // The caller has given up meanwhile, or the sandbox ends: nobody will know of the container, so there must be none.
    signal.throwIfAborted();
    sandbox.add(container);
    undo.clear();
    for (const [index, { shared }] of message.storages.entries()) if (shared) storages.keep(acquired[index] ?? '');
    log.info(
      {
        container: containerId,
        devices: handled.plan.asked.size,
        changes: handled.editor.changes.length,
        specMs: Math.round(specAt - began),
        runcMs: Math.round(createdAt - specAt),
      },
      'container created',
    );
    return {};
  } catch (error) {
    await undo.run((what, err) => log.warn({ container: containerId, what, err }, 'cannot undo'));
    log.warn({ container: containerId, err: error }, 'container not created');
    throw error;
  } finally {
    making.done();
  }
};

async function removeCreated(agent: Agent, containerId: string): Promise<void> {
  agent.oom.unwatch(containerId);
  await agent.runc.delete(containerId);
  agent.runc.removeBundle(containerId);
}

function watchMemory(agent: Agent, container: Container): void {
  const { cgroup } = container.parts;
  if (cgroup === undefined) return;
  try {
    agent.oom.watch(container.id, cgroup);
  } catch (error) {
    agent.log.debug({ container: container.id, err: error }, 'no out-of-memory events for this container');
  }
}
