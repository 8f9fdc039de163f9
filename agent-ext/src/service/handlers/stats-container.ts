import { AgentError } from '../../errors.ts';
import { readCgroupStats } from '../../stats/cgroup-stats.ts';
import { readNetworkStats } from '../../stats/network-stats.ts';
import type { Method } from '../method.ts';

export const statsContainer: Method<'statsContainer'> =
  (agent) =>
  ({ containerId }) => {
    const { cgroup } = agent.sandbox.get(containerId).parts;
    if (cgroup === undefined)
      throw new AgentError('FAILED_PRECONDITION', `container ${containerId} has no cgroup to read`);
    return { cgroupStats: readCgroupStats(agent.paths.cgroup, cgroup), networkStats: readNetworkStats() };
  };
