import { planEnvironment, processFromProto } from '@kata-mock/devices';
import type { Process } from '@kata-mock/oci-spec';
import type { Agent } from '../../agent.ts';
import { AgentError } from '../../errors.ts';
import type { Container } from '../../sandbox/container.ts';
import type { ContainerProcess } from '../../sandbox/container-process.ts';
import { checkId } from '../../sandbox/ids.ts';
import { checkSupported } from '../check-supported.ts';
import type { Method } from '../method.ts';
import { SIGKILL, send } from './signal-process.ts';

/** One more process in a running container, with the same address map for its environment. */
export const execProcess: Method<'execProcess'> =
  (agent) =>
  async (request, { signal }) => {
    const { containerId, execId } = request;
    checkId('exec id', execId);
    checkSupported(request);
    const container = agent.sandbox.get(containerId);
    if (!request.process) throw new AgentError('INVALID_ARGUMENT', `exec ${execId} comes without a process`);
    if (execId === containerId)
      throw new AgentError('ALREADY_EXISTS', `exec ${execId} is the first process of its container`);
    if (container.state !== 'running') {
      throw new AgentError('FAILED_PRECONDITION', `cannot exec in container ${containerId}: it is ${container.state}`);
    }
    const process = withGuestAddresses(agent, container, processFromProto(request.process));
    container.execs.reserve(execId);
    try {
      const made = await agent.runc.exec(containerId, execId, process);
      if (container.isRemoving || signal.aborted) {
        // Nobody will ask for it: the container goes, or the caller has gone.
        abandon(made);
        signal.throwIfAborted();
        throw new AgentError('FAILED_PRECONDITION', `cannot exec in container ${containerId}: it is being removed`);
      }
      container.execs.add(made);
    } finally {
      container.execs.release(execId);
    }
    return {};
  };

function abandon(made: ContainerProcess): void {
  made.io.close();
  send(made.pid, SIGKILL, made.status);
}

function withGuestAddresses(agent: Agent, container: Container, process: Process): Process {
  const env = [...(process.env ?? [])];
  const steps = planEnvironment(env, container.parts.addresses, {
    containerId: container.id,
    untranslated: agent.config.devices.untranslated,
    warn: (text) => agent.log.warn({ container: container.id }, text),
  });
  for (const step of steps) if (step.kind === 'set-env') env[step.index] = step.entry;
  return { ...process, env };
}
