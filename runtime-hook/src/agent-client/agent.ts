/** The agent's calls with the shim's timeouts and names; see Kata's kata_agent.go. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  AgentService,
  type CreateContainerRequestSchema,
  type CreateSandboxRequestSchema,
  type ExecProcessRequestSchema,
  type GuestDetailsResponse,
  Health,
  HealthCheckResponse_ServingStatus,
} from '@kata-mock/contracts';
import { type Client, type Connection, createClient } from 'ttrpc-ts';
import { KataMockError } from '../errors.ts';
import { namedErrors } from './named-errors.ts';
import type { ProcessCalls } from './process-io.ts';

/** Kata's: how long the shim waits for Check, and for any other call that is not meant to block. */
const checkTimeoutMs = 30_000;
const callTimeoutMs = 60_000;
/** Bytes the shim asks for in one ReadStdout. */
const readBytes = 32_768;

export class Agent {
  readonly #agent: Client<typeof AgentService>;
  /** Its errors are data: the end of a stream is one. */
  readonly #streams: Client<typeof AgentService>;
  readonly #health: Client<typeof Health>;

  constructor(connection: Connection) {
    // WaitProcess, GetOOMEvent and the streams block for as long as the process lives, so no timeout by default.
    this.#agent = createClient(AgentService, connection, { interceptors: [namedErrors] });
    this.#streams = createClient(AgentService, connection);
    this.#health = createClient(Health, connection, { interceptors: [namedErrors] });
  }

  /** Resolves when the agent serves. Sent as soon as the transport stands; the answer comes when the guest is up. */
  async check(timeoutMs = checkTimeoutMs): Promise<void> {
    const answer = await this.#health.check({ service: '' }, { timeoutMs });
    if (answer.status !== HealthCheckResponse_ServingStatus.SERVING) {
      throw new KataMockError('AGENT', `the agent answers Check with status ${answer.status}, not SERVING`);
    }
  }

  async createSandbox(request: MessageInitShape<typeof CreateSandboxRequestSchema>): Promise<void> {
    await this.#agent.createSandbox(request, { timeoutMs: callTimeoutMs });
  }

  guestDetails(): Promise<GuestDetailsResponse> {
    return this.#agent.getGuestDetails({ memBlockSize: true, memHotplugProbe: true }, { timeoutMs: callTimeoutMs });
  }

  async createContainer(request: MessageInitShape<typeof CreateContainerRequestSchema>): Promise<void> {
    await this.#agent.createContainer(request, { timeoutMs: callTimeoutMs });
  }

  /** The shim sends these two whenever the sandbox's resources may have changed. */
  async updateResources(): Promise<void> {
    await this.#agent.onlineCPUMem({}, { timeoutMs: callTimeoutMs });
    await this.#agent.updateEphemeralMounts({ storages: [] }, { timeoutMs: callTimeoutMs });
  }

  async startContainer(containerId: string): Promise<void> {
    await this.#agent.startContainer({ containerId }, { timeoutMs: callTimeoutMs });
  }

  async execProcess(request: MessageInitShape<typeof ExecProcessRequestSchema>): Promise<void> {
    await this.#agent.execProcess(request, { timeoutMs: callTimeoutMs });
  }

  async removeContainer(containerId: string): Promise<void> {
    await this.#agent.removeContainer({ containerId, timeout: 0 }, { timeoutMs: callTimeoutMs });
  }

  async destroySandbox(timeoutMs: number): Promise<void> {
    await this.#agent.destroySandbox({}, { timeoutMs });
  }

  /** A process of a container; the container's own has the container's id as exec id, as in Kata. */
  process(containerId: string, execId: string): ProcessCalls {
    const ids = { containerId, execId };
    const bounded = { timeoutMs: callTimeoutMs };
    return {
      readStdout: async () => (await this.#streams.readStdout({ ...ids, len: readBytes })).data,
      readStderr: async () => (await this.#streams.readStderr({ ...ids, len: readBytes })).data,
      writeStdin: async (data) => (await this.#streams.writeStdin({ ...ids, data })).len,
      closeStdin: async () => void (await this.#agent.closeStdin(ids, bounded)),
      wait: async () => (await this.#agent.waitProcess(ids)).status,
      // The shim names no exec for the container's own process.
      signal: async (signal) =>
        void (await this.#agent.signalProcess(
          { ...ids, execId: execId === containerId ? '' : execId, signal },
          bounded,
        )),
      resize: async (row, column) => void (await this.#agent.ttyWinResize({ ...ids, row, column }, bounded)),
    };
  }
}
