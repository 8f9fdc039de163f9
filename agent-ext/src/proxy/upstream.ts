import { AgentService } from '@kata-mock/contracts';
import { Code, type Connection, connect, createClient, TtrpcError } from 'ttrpc-ts';
import { type AgentVersion, parseAgentVersion } from './agent-version.ts';

/** How long a version question may take: an agent that does not answer it will not answer anything. */
const VERSION_TIMEOUT_MS = 10_000;

interface Link {
  readonly connection: Connection;
  version?: Promise<AgentVersion | undefined>;
}

/** The agent behind the proxy. Connected at the first call, and again after it was restarted. */
export class Upstream {
  readonly address: string;
  #link: Promise<Link> | undefined;

  constructor(address: string) {
    this.address = address;
  }

  async connection(): Promise<Connection> {
    return (await this.#connected()).connection;
  }

  /** Version of the agent, asked once a connection; undefined when it tells none that can be read. */
  async version(): Promise<AgentVersion | undefined> {
    const link = await this.#connected();
    link.version ??= createClient(AgentService, link.connection)
      .getGuestDetails({}, { timeoutMs: VERSION_TIMEOUT_MS })
      .then(({ agentDetails }) => parseAgentVersion(agentDetails?.version ?? ''));
    return link.version;
  }

  close(): void {
    void this.#link?.then(({ connection }) => connection.close()).catch(() => {});
    this.#link = undefined;
  }

  async #connected(): Promise<Link> {
    this.#link ??= this.#connect();
    try {
      return await this.#link;
    } catch (cause) {
      this.#link = undefined;
      const message = `the agent at ${this.address} cannot be reached: ${(cause as Error).message}`;
      throw new TtrpcError(Code.UNAVAILABLE, message, { cause });
    }
  }

  async #connect(): Promise<Link> {
    const connection = await connect(this.address);
    void connection.closed.then(() => {
      this.#link = undefined;
    });
    return { connection };
  }
}
