/**
 * An agent without a guest, for tests of the host's side: it "creates a container" by starting the process of the
 * spec on this machine, unconfined. Its answers have the shape of the real one's (test/ compares the two).
 */
import { AgentService, Health, HealthCheckResponse_ServingStatus, type Process } from '@kata-mock/contracts';
import { Code, Server, TtrpcError } from 'ttrpc-ts';
import { FakeProcess } from './fake-process.ts';

export interface FakeAgentOptions {
  /** Makes a call fail, by method name. */
  failures?: Record<string, string>;
  onCall?: (method: string) => void;
}

interface Entry {
  process: Process;
  running?: FakeProcess;
}

export function fakeAgent(options: FakeAgentOptions = {}): Server {
  const entries = new Map<string, Entry>();
  const find = (containerId: string, execId: string): Entry => {
    const found = entries.get(`${containerId}/${execId || containerId}`);
    if (!found) throw new TtrpcError(Code.NOT_FOUND, `no process ${containerId}/${execId}`);
    return found;
  };
  const running = ({ containerId, execId }: { containerId: string; execId: string }): FakeProcess => {
    const process = find(containerId, execId).running;
    if (!process) throw new TtrpcError(Code.FAILED_PRECONDITION, `${containerId}/${execId} is not started`);
    return process;
  };
  const add = (containerId: string, execId: string, process: Process | undefined): Entry => {
    const key = `${containerId}/${execId}`;
    if (entries.has(key)) throw new TtrpcError(Code.ALREADY_EXISTS, `${key} exists`);
    if (!process) throw new TtrpcError(Code.INVALID_ARGUMENT, `${key} has no process`);
    const entry = { process };
    entries.set(key, entry);
    return entry;
  };
  const called = (method: string): object => {
    options.onCall?.(method);
    const failure = options.failures?.[method];
    if (failure !== undefined) throw new TtrpcError(Code.INTERNAL, failure);
    return {};
  };

  const server = new Server();
  server.register(Health, {
    check: () => ({ ...called('Check'), status: HealthCheckResponse_ServingStatus.SERVING }),
  });
  server.register(AgentService, {
    createSandbox: () => called('CreateSandbox'),
    getGuestDetails: () => ({ ...called('GetGuestDetails'), agentDetails: { version: 'fake', extraFeatures: [] } }),
    onlineCPUMem: () => called('OnlineCPUMem'),
    updateEphemeralMounts: () => called('UpdateEphemeralMounts'),
    createContainer: ({ containerId, execId, OCI }) => {
      called('CreateContainer');
      add(containerId, execId, OCI?.Process);
      return {};
    },
    startContainer: ({ containerId }) => {
      called('StartContainer');
      const entry = find(containerId, containerId);
      entry.running = new FakeProcess(entry.process);
      return {};
    },
    execProcess: ({ containerId, execId, process }) => {
      called('ExecProcess');
      find(containerId, containerId);
      const entry = add(containerId, execId, process);
      entry.running = new FakeProcess(entry.process);
      return {};
    },
    readStdout: async (request) => ({ data: await running(request).stdout.read(request.len) }),
    readStderr: async (request) => ({ data: await running(request).stderr.read(request.len) }),
    writeStdin: (request) => {
      running(request).write(request.data);
      return { len: request.data.byteLength };
    },
    closeStdin: (request) => {
      running(request).closeStdin();
      return called('CloseStdin');
    },
    ttyWinResize: () => called('TtyWinResize'),
    signalProcess: (request) => {
      running(request).signal(request.signal);
      return called('SignalProcess');
    },
    waitProcess: async (request) => {
      called('WaitProcess');
      return { status: await running(request).exited };
    },
    removeContainer: ({ containerId }) => {
      find(containerId, containerId);
      for (const key of [...entries.keys()]) if (key.startsWith(`${containerId}/`)) entries.delete(key);
      return called('RemoveContainer');
    },
    destroySandbox: () => {
      for (const entry of entries.values()) entry.running?.signal(9);
      return called('DestroySandbox');
    },
  });
  return server;
}
