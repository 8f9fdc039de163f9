import { AgentService } from '@kata-mock/contracts';
import { Code, type Connection, connect, createClient, passTo, type RawCall, TtrpcError } from 'ttrpc-ts';
import { parseAgentVersion } from './agent-version.ts';
import type { AgentDetails } from './device-types.ts';

/** How long the question for details may take: an agent that does not answer it will not answer anything. */
const DETAILS_TIMEOUT_MS = 10_000;

interface Link {
  readonly connection: Connection;
  gone: boolean;
  details?: Promise<AgentDetails> | undefined;
}

/** The agent behind the proxy. Connected at the first call, and again after it was restarted. */
export class Upstream {
  readonly address: string;
  #link: Promise<Link> | undefined;

  constructor(address: string) {
    this.address = address;
  }

  /** Passes a call on, with another payload if need be, and what it answers back. */
  async pass(call: RawCall, payload: Uint8Array): Promise<Uint8Array | undefined> {
    const link = await this.#connected();
    try {
      return await passTo(link.connection)({ ...call, payload });
    } catch (cause) {
      // A call that was under way may have been done or not: the caller is told what it cannot know.
      if (link.gone) throw this.#unavailable(`went away during ${call.method}`, cause);
      throw cause;
    }
  }

  /** What the agent says of itself, asked once a connection. */
  async details(): Promise<AgentDetails> {
    const link = await this.#connected();
    link.details ??= this.#askDetails(link);
    try {
      return await link.details;
    } catch (error) {
      link.details = undefined;
      throw error;
    }
  }

  close(): void {
    void this.#link?.then(({ connection }) => connection.close()).catch(() => {});
    this.#link = undefined;
  }

  async #askDetails(link: Link): Promise<AgentDetails> {
    try {
      const client = createClient(AgentService, link.connection);
      const { agentDetails } = await client.getGuestDetails({}, { timeoutMs: DETAILS_TIMEOUT_MS });
      const { version = '', deviceHandlers = [] } = agentDetails ?? {};
      return { version: parseAgentVersion(version), deviceTypes: deviceHandlers };
    } catch (cause) {
      if (cause instanceof TtrpcError && cause.code === Code.UNIMPLEMENTED)
        return { version: undefined, deviceTypes: [] };
      throw this.#unavailable(`does not tell its version: ${(cause as Error).message}`, cause);
    }
  }

  async #connected(): Promise<Link> {
    this.#link ??= this.#connect();
    try {
      return await this.#link;
    } catch (cause) {
      this.#link = undefined;
      throw this.#unavailable(`cannot be reached: ${(cause as Error).message}`, cause);
    }
  }

  async #connect(): Promise<Link> {
    const link = { gone: false };
    const onClose = () => {
      link.gone = true;
      this.#link = undefined;
    };
    return Object.assign(link, { connection: await connect(this.address, { onClose }) });
  }

  #unavailable(what: string, cause: unknown): TtrpcError {
    return new TtrpcError(Code.UNAVAILABLE, `the agent at ${this.address} ${what}`, { cause });
  }
}
