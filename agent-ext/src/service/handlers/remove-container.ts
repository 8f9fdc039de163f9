import type { Agent } from '../../agent.ts';
import type { Container } from '../../sandbox/container.ts';
import type { Method } from '../method.ts';

/** Ends what still runs and takes away everything the container had. */
export const removeContainer: Method<'removeContainer'> =
  (agent) =>
  async ({ containerId }) => {
    await discard(agent, agent.sandbox.known(containerId));
    return {};
  };

/** Takes a container away, or waits for whoever is about it already. */
export function discard(agent: Agent, container: Container): Promise<void> {
  return container.remove(() => takeAway(agent, container));
}

/** Every step is tried; the first failure is told at the end, and the container is forgotten all the same. */
async function takeAway(agent: Agent, container: Container): Promise<void> {
  agent.oom.unwatch(container.id);
  const failures: unknown[] = [];
  const attempt = async (step: () => unknown) => {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  };
  await attempt(() => agent.runc.delete(container.id));
  // The first process ends with the container; waiting keeps its status for callers of WaitProcess.
  if (failures.length === 0) await container.init.wait();
  container.closeIo();
  // Newest first, as they may be mounted inside each other.
  for (const key of [...container.parts.storages].reverse()) await attempt(() => agent.storages.release(key));
  await attempt(() => agent.runc.removeBundle(container.id));
  agent.sandbox.remove(container.id);
  if (failures.length > 0) throw failures[0];
  agent.log.info({ container: container.id }, 'container removed');
}
