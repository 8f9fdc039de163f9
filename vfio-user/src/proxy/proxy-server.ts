import { closeSync } from 'node:fs';
import { EXHAUSTED_PAUSE_MS, POLLIN, poll, tryAccept, unixConnect } from '@kata-mock/posix';
import { VfioUserError } from '../errors.ts';
import { FaultEngine } from '../faults/engine.ts';
import { FaultEvents } from '../faults/events.ts';
import { parseRule } from '../faults/rule.ts';
import { Timers } from '../server/timers.ts';
import { Tracer } from '../trace/tracer.ts';
import { ListeningSocket } from '../transport/listening-socket.ts';
import { MessageProxy } from './proxy.ts';

export interface ProxyServerOptions {
  /** Socket to make for clients (mode 0600). */
  listen: string;
  /** Socket of the server; connected to anew for each client. */
  connect: string;
  /** Wait for the next client when one leaves. Default false. */
  relisten?: boolean;
  /** With `relisten`: told when the server cannot be reached; that client is sent away. */
  refused?(error: Error): void;
}

/** A proxy is one function, with the name a host of one function gives it. */
export const PROXY_ID = 'd0';
/** How long one wait for a client lasts at most, ms: the event loop turns in between. */
const TURN_MS = 10;
/** How often a trace under way is brought to its file, ms. */
const FLUSH_MS = 200;

/** A proxy's socket and what outlives its clients: faults, the trace. */
export class ProxyServer {
  readonly options: Readonly<ProxyServerOptions>;
  readonly #timers = new Timers();
  readonly faults = new FaultEngine(
    (ms, work) => void this.#timers.after(ms, work),
    ({ id: rule, fault }) => this.faultEvents.add({ id: PROXY_ID, rule, fault, at: Date.now() }),
  );
  /** AER events and removals that wait for who brings them about. */
  readonly faultEvents = new FaultEvents();
  /** Clients served so far, the connected one included. */
  clients = 0;
  readonly #listening: ListeningSocket;
  #current: MessageProxy | undefined;
  #tracer: Tracer | undefined;
  #flush: NodeJS.Timeout | undefined;
  #stopped = false;
  #closed = false;

  /** Listens; clients wait until {@link run}. */
  constructor(options: ProxyServerOptions) {
    this.options = options;
    this.#listening = new ListeningSocket(options.listen);
  }

  get connected(): boolean {
    return this.#current !== undefined;
  }

  /** Serves one client, or with `relisten` one after the other until {@link stop}. */
  async run(): Promise<void> {
    while (await this.#waitForClient()) {
      const client = tryAccept(this.#listening.fd);
      if (client === 'exhausted') await new Promise((resolve) => setTimeout(resolve, EXHAUSTED_PAUSE_MS));
      if (typeof client !== 'number') continue;
      await this.#serve(client);
      if (!this.options.relisten) return;
    }
  }

  /** Ends {@link run} within some milliseconds. */
  stop(): void {
    this.#stopped = true;
    this.#current?.stop();
  }

  /** Removes the socket and ends a trace. After {@link run}. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listening.close();
    // Last, since it throws when the trace is not whole.
    if (this.#tracer) this.stopTrace();
  }

  /** Adds a fault. Throws INVALID_OPTION for one that is wrong or that only the server can bring about. */
  setFault(value: unknown): void {
    if (parseRule(value).fault.kind === 'dma-error')
      throw new VfioUserError(
        'INVALID_OPTION',
        'fault: dma-error is not for a proxy, which has no part in memory that the server maps; set it in the server',
      );
    this.faults.set(value);
  }

  /** Records every message from now on. */
  startTrace(file: string): void {
    if (this.#tracer) throw new VfioUserError('INVALID_OPTION', 'a trace is under way; stop it first');
    const tracer = new Tracer(file, 'vfio-user-proxy');
    this.#tracer = tracer;
    this.#flush = setInterval(() => tracer.flush(), FLUSH_MS).unref();
    if (this.#current) this.#current.observer = tracer;
  }

  stopTrace(): { file: string; messages: number } {
    const tracer = this.#tracer;
    if (!tracer) throw new VfioUserError('NOT_FOUND', 'no trace is under way');
    clearInterval(this.#flush);
    this.#tracer = undefined;
    if (this.#current) this.#current.observer = undefined;
    tracer.close();
    return { file: tracer.file, messages: tracer.messages };
  }

  /** False when the proxy is to stop. While a crashed device stays away, clients find the socket but nobody who answers. */
  async #waitForClient(): Promise<boolean> {
    while (!this.#stopped) {
      this.#timers.run(performance.now(), (work) => work());
      const events = this.faults.awayMs > 0 ? 0 : POLLIN;
      const [ready] = poll([{ fd: this.#listening.fd, events }], TURN_MS);
      if (ready) return true;
      await new Promise((resolve) => setImmediate(resolve));
    }
    return false;
  }

  async #serve(clientFd: number): Promise<void> {
    let serverFd: number;
    try {
      serverFd = unixConnect(this.options.connect);
    } catch (cause) {
      closeSync(clientFd);
      const error = new VfioUserError(
        'DISCONNECTED',
        `server ${JSON.stringify(this.options.connect)}: ${(cause as Error).message}; is it running?`,
        { cause },
      );
      if (!this.options.relisten) throw error;
      this.options.refused?.(error);
      return;
    }
    const { faults } = this;
    this.clients++;
    this.#current = new MessageProxy(clientFd, serverFd, { faults, timers: this.#timers, observer: this.#tracer });
    try {
      await this.#current.run();
    } finally {
      this.#current = undefined;
    }
  }
}
