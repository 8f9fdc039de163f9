import { type Health, HealthCheckResponse_ServingStatus } from '@kata-mock/contracts';
import type { Handlers } from 'ttrpc-ts';

/** Version of the agent protocol this agent speaks, as Kata's agents report it. */
const PROTOCOL_VERSION = '0.0.1';

export function healthHandlers(agentVersion: string): Handlers<typeof Health> {
  return {
    check: () => ({ status: HealthCheckResponse_ServingStatus.SERVING }),
    version: () => ({ grpcVersion: PROTOCOL_VERSION, agentVersion }),
  };
}
