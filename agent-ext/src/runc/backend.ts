import { AgentService, Health } from '@kata-mock/contracts';
import type { Agent } from '../agent.ts';
import type { Backend } from '../backend.ts';
import { healthHandlers } from '../service/health.ts';
import { agentHandlers } from '../service/index.ts';

/** The agent itself runs containers, by the guest's runc. */
export function runcBackend(agent: Agent): Backend {
  return {
    register: (server) => {
      server.register(Health, healthHandlers(agent.version)).register(AgentService, agentHandlers(agent));
    },
    close: () => {},
  };
}
