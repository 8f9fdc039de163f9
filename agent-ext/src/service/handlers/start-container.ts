import type { Method } from '../method.ts';

export const startContainer: Method<'startContainer'> =
  (agent) =>
  async ({ containerId }) => {
    const container = agent.sandbox.get(containerId);
    await agent.runc.start(containerId);
    container.started();
    agent.log.info({ container: containerId }, 'container started');
    return {};
  };
