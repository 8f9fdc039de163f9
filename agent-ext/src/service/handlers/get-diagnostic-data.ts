import { AgentError } from '../../errors.ts';
import { readTerminationLog } from '../../sandbox/termination-log.ts';
import type { Method } from '../method.ts';

/** Kata 4.1: a container's termination message, for sandboxes whose files the host does not see. */
export const getDiagnosticData: Method<'getDiagnosticData'> =
  (agent) =>
  async ({ logType, containerId }) => {
    if (logType !== 'termination_log') {
      const message = `unsupported diagnostic log_type ${JSON.stringify(logType)}: expected "termination_log"`;
      throw new AgentError('INVALID_ARGUMENT', message);
    }
    const { terminationLog } = agent.sandbox.get(containerId).parts;
    if (terminationLog === undefined) {
      const message = `container ${containerId} has no termination log: its spec has no mount for one`;
      throw new AgentError('FAILED_PRECONDITION', message);
    }
    return { data: await readTerminationLog(agent.paths.base, terminationLog) };
  };
