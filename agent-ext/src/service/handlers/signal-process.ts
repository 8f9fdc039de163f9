import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Agent } from '../../agent.ts';
import { AgentError } from '../../errors.ts';
import type { Container } from '../../sandbox/container.ts';
import type { Method } from '../method.ts';

export const SIGKILL = 9;
const SIGTERM = 15;

/** Signals one process, or with an empty exec id every process of the container. */
export const signalProcess: Method<'signalProcess'> =
  (agent) =>
  ({ containerId, execId, signal }) => {
    const container = agent.sandbox.get(containerId);
    const target = container.process(execId);
    if (signal > 64) throw new AgentError('INVALID_ARGUMENT', `invalid signal ${signal}: expected 0 to 64`);
    const isInit = target === container.init;
    send(target.pid, isInit ? deliverable(target.pid, signal) : signal, target.status);
    if (execId === '') for (const pid of othersIn(agent, container)) send(pid, signal, undefined);
    return {};
  };

/**
 * The kernel drops a TERM that the first process of a pid namespace does not handle, and the caller would wait for
 * nothing; so it gets a KILL, as Kata's agent does it.
 */
function deliverable(pid: number, signal: number): number {
  return signal === SIGTERM && !handles(pid, signal) ? SIGKILL : signal;
}

function handles(pid: number, signal: number): boolean {
  try {
    const mask = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
    return ((BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n) === 1n;
  } catch {
    return true;
  }
}

/** A process that has ended needs no signal; its number may already be another's. */
export function send(pid: number, signal: number, status: number | undefined): void {
  if (status !== undefined) return;
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function othersIn(agent: Agent, container: Container): number[] {
  const { cgroup } = container.parts;
  if (cgroup === undefined) return [];
  try {
    const text = readFileSync(path.join(agent.paths.cgroup, cgroup, 'cgroup.procs'), 'utf8');
    return text
      .split('\n')
      .map(Number)
      .filter((pid) => pid > 0 && pid !== container.init.pid);
  } catch {
    return [];
  }
}
