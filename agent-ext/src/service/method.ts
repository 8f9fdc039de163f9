import type { AgentService } from '@kata-mock/contracts';
import type { Handlers } from 'ttrpc-ts';
import type { Agent } from '../agent.ts';

type AgentHandlers = Required<Handlers<typeof AgentService>>;

/** A method of the agent: given the agent, its handler. One file each in `handlers/`. */
export type Method<Name extends keyof AgentHandlers> = (agent: Agent) => AgentHandlers[Name];
