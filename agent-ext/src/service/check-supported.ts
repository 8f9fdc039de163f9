import type { CreateContainerRequest, ExecProcessRequest } from '@kata-mock/contracts';
import { AgentError } from '../errors.ts';

/** Refuses what a request asks for and this agent would only ignore: a container would start and lack it. */
export function checkSupported(request: CreateContainerRequest | ExecProcessRequest): void {
  const { stdinPort, stdoutPort, stderrPort } = request;
  if (stdinPort || stdoutPort || stderrPort) {
    throw unsupported('standard streams over vsock connections of their own: leave agent.passfd_listener_port out');
  }
  if (request.stringUser) throw unsupported('users by name: the OCI spec has their numbers');
  if ('sharedMounts' in request && request.sharedMounts.length > 0) throw unsupported('mounts of other containers');
}

function unsupported(what: string): AgentError {
  return new AgentError('UNIMPLEMENTED', `this agent has no ${what}`);
}
