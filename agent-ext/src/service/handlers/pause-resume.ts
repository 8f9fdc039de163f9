import type { Method } from '../method.ts';

export const pauseContainer: Method<'pauseContainer'> =
  (agent) =>
  async ({ containerId }) => {
    agent.sandbox.get(containerId);
    await agent.runc.pause(containerId);
    return {};
  };

export const resumeContainer: Method<'resumeContainer'> =
  (agent) =>
  async ({ containerId }) => {
    agent.sandbox.get(containerId);
    await agent.runc.resume(containerId);
    return {};
  };
