import { randomUUID } from 'node:crypto';
import type { Process } from '@kata-mock/oci-spec';
import { connect } from 'ttrpc-ts';
import { Agent } from '../../agent-client/agent.ts';
import { processToWire } from '../../agent-client/spec-to-wire.ts';
import { KataMockError } from '../../errors.ts';
import { attach } from '../run/attach.ts';
import { findSandbox } from '../sandbox/find.ts';
import { runDirectory } from '../sandbox/run-directory.ts';
import type { SandboxState } from '../sandbox/state.ts';

export interface ExecOptions {
  container?: string;
  env: string[];
  cwd?: string;
  user?: string;
  interactive: boolean;
  tty: boolean;
  stopTimeout: number;
}

/** `kata-mock exec`; answers the exit code. */
export async function exec(sandbox: string, command: string[], options: ExecOptions): Promise<number> {
  const { paths, state } = findSandbox(runDirectory(), sandbox);
  const container = findContainer(state, options.container ?? sandbox);
  const process = execProcess(container.process, command, options);
  const connection = await connect(`unix://${paths.agent}`);
  try {
    const agent = new Agent(connection);
    const execId = randomUUID();
    await agent.execProcess({ containerId: container.id, execId, process: processToWire(process) });
    return await attach(agent.process(container.id, execId), options);
  } finally {
    connection.destroy();
  }
}

function findContainer(state: SandboxState, id: string) {
  const container = state.containers.find((each) => each.id === id);
  if (container?.phase === 'running') return container;
  const running = state.containers.filter((each) => each.phase === 'running').map((each) => each.id);
  throw new KataMockError('NOT_FOUND', `sandbox "${state.name}" runs no container "${id}"`, {
    hint: running.length > 0 ? `it runs: ${running.join(', ')} (--container)` : 'it runs none',
  });
}

/** As containerd makes it: the container's own process with the command and what the options say. */
export function execProcess(base: Process, command: string[], options: ExecOptions): Process {
  const env = new Map((base.env ?? []).map((text) => [text.slice(0, text.indexOf('=')), text]));
  if (options.tty && !env.has('TERM')) env.set('TERM', 'TERM=xterm');
  for (const text of options.env) env.set(text.slice(0, text.indexOf('=')), text);
  return {
    ...base,
    args: command,
    env: [...env.values()],
    cwd: options.cwd ?? base.cwd,
    terminal: options.tty,
    ...(options.user !== undefined && { user: parseUser(options.user) }),
  };
}

function parseUser(text: string): { uid: number; gid: number } {
  const match = /^([0-9]{1,10})(?::([0-9]{1,10}))?$/.exec(text);
  const [uid, gid] = [Number(match?.[1]), Number(match?.[2] ?? 0)];
  if (match && uid < 2 ** 32 && gid < 2 ** 32) return { uid, gid };
  throw new KataMockError('USAGE', `--user ${JSON.stringify(text)} is not UID or UID:GID in numbers`, {
    hint: 'for example --user 1000:1000',
  });
}
