/**
 * An agent without a guest, for tests of the host's side: it "creates a container" by starting the process of the
 * spec on this machine, unconfined. Its answers have the shape of the real one's (test/ compares the two).
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { AgentService, Health, HealthCheckResponse_ServingStatus, type Process } from '@kata-mock/contracts';
import { Code, Server, TtrpcError } from 'ttrpc-ts';

interface FakeProcess {
  process: Process;
  child?: ChildProcessByStdio<Writable, Readable, Readable>;
  exited?: Promise<number>;
}

export interface FakeAgentOptions {
  /** Answers of GetGuestDetails. */
  extraFeatures?: string[];
  /** Makes a call fail, by method name. */
  failures?: Record<string, string>;
  onCall?: (method: string) => void;
  onDestroy?: () => void;
}

export function fakeAgent(options: FakeAgentOptions = {}): Server {
  const processes = new Map<string, FakeProcess>();
  const find = (containerId: string, execId: string): FakeProcess => {
    const found = processes.get(`${containerId}/${execId || containerId}`);
    if (!found) throw new TtrpcError(Code.NOT_FOUND, `no process ${containerId}/${execId}`);
    return found;
  };
  const begin = (each: FakeProcess): void => {
    const { Args, Env, Cwd } = each.process;
    const env = Object.fromEntries(Env.map((text) => text.split(/=(.*)/s).slice(0, 2)));
    const child = spawn(Args[0] ?? '', Args.slice(1), { env, cwd: Cwd, stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdin.on('error', () => {});
    each.child = child;
    each.exited = once(child, 'exit').then(([code, signal]) =>
      signal === null ? Number(code) : 128 + constants.signals[signal as NodeJS.Signals],
    );
  };
  const called = (method: string): void => {
    options.onCall?.(method);
    const failure = options.failures?.[method];
    if (failure !== undefined) throw new TtrpcError(Code.INTERNAL, failure);
  };

  const server = new Server();
  server.register(Health, {
    check: () => {
      called('Check');
      return { status: HealthCheckResponse_ServingStatus.SERVING };
    },
  });
  server.register(AgentService, {
    createSandbox: () => {
      called('CreateSandbox');
      return {};
    },
    getGuestDetails: () => {
      called('GetGuestDetails');
      return { agentDetails: { version: 'fake', extraFeatures: options.extraFeatures ?? [] } };
    },
    createContainer: ({ containerId, execId, OCI }) => {
      called('CreateContainer');
      if (processes.has(`${containerId}/${execId}`)) throw new TtrpcError(Code.ALREADY_EXISTS, containerId);
      if (!OCI?.Process) throw new TtrpcError(Code.INVALID_ARGUMENT, 'no process in the spec');
      processes.set(`${containerId}/${execId}`, { process: OCI.Process });
      return {};
    },
    onlineCPUMem: () => {
      called('OnlineCPUMem');
      return {};
    },
    updateEphemeralMounts: () => {
      called('UpdateEphemeralMounts');
      return {};
    },
    startContainer: ({ containerId }) => {
      called('StartContainer');
      begin(find(containerId, containerId));
      return {};
    },
    execProcess: ({ containerId, execId, process }) => {
      called('ExecProcess');
      find(containerId, containerId);
      if (!process) throw new TtrpcError(Code.INVALID_ARGUMENT, 'no process');
      const each = { process };
      processes.set(`${containerId}/${execId}`, each);
      begin(each);
      return {};
    },
    readStdout: ({ containerId, execId, len }) => read(find(containerId, execId).child?.stdout, len),
    readStderr: ({ containerId, execId, len }) => read(find(containerId, execId).child?.stderr, len),
    writeStdin: async ({ containerId, execId, data }) => {
      find(containerId, execId).child?.stdin.write(data);
      return { len: data.byteLength };
    },
    closeStdin: ({ containerId, execId }) => {
      called('CloseStdin');
      find(containerId, execId).child?.stdin.end();
      return {};
    },
    waitProcess: async ({ containerId, execId }) => {
      called('WaitProcess');
      return { status: (await find(containerId, execId).exited) ?? 0 };
    },
    signalProcess: ({ containerId, execId, signal }) => {
      called('SignalProcess');
      find(containerId, execId).child?.kill(signal);
      return {};
    },
    ttyWinResize: () => {
      called('TtyWinResize');
      return {};
    },
    removeContainer: ({ containerId }) => {
      called('RemoveContainer');
      find(containerId, containerId);
      for (const key of [...processes.keys()]) if (key.startsWith(`${containerId}/`)) processes.delete(key);
      return {};
    },
    destroySandbox: () => {
      called('DestroySandbox');
      for (const each of processes.values()) each.child?.kill('SIGKILL');
      options.onDestroy?.();
      return {};
    },
  });
  return server;
}

/** At most `len` bytes as they come; at the end the error the real agent answers with. */
async function read(stream: Readable | undefined, len: number): Promise<{ data: Uint8Array }> {
  for (;;) {
    const data = stream?.read(Math.min(len, stream.readableLength || len)) as Buffer | null | undefined;
    if (data) return { data };
    if (!stream || stream.readableEnded || stream.destroyed) throw new TtrpcError(Code.INTERNAL, 'read meet eof');
    await Promise.race([once(stream, 'readable'), once(stream, 'end'), once(stream, 'close')]);
  }
}
