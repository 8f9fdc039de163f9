import { resourcesFromProto } from '@kata-mock/devices';
import { AgentError } from '../../errors.ts';
import type { Method } from '../method.ts';

/** Changes limits. Device rules in the request are ignored: they have the host's numbers and no node to go with. */
export const updateContainer: Method<'updateContainer'> =
  (agent) =>
  async ({ containerId, resources }) => {
    agent.sandbox.get(containerId);
    if (!resources)
      throw new AgentError('INVALID_ARGUMENT', `update of container ${containerId} comes without resources`);
    const { devices: _, ...limits } = resourcesFromProto(resources);
    await agent.runc.update(containerId, limits);
    return {};
  };
