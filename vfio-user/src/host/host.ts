import { EventEmitter } from 'node:events';
import { VfioUserError } from '../errors.ts';
import { type FaultEvent, FaultEvents } from '../faults/events.ts';
import { type MockAccelOptions, resolveOptions } from '../mock-accel/options.ts';
import type { LogLevel } from '../server/bus.ts';
import type { RegisterValue } from '../server/device.ts';
import { descriptorShare } from './descriptor-share.ts';
import { FunctionThread } from './function-thread.ts';
import type { FunctionSpec } from './messages.ts';

export interface HostOptions {
  functions: FunctionSpec[];
  /** `exit` (default): a function ends when its client leaves. `relisten`: it waits for the next one. */
  onClientGone?: 'exit' | 'relisten';
  /** With `relisten`: registers survive a client's leaving. Default false. */
  keepState?: boolean;
  /** The functions' threads wait for {@link Host.start}, and clients with them. Default false. */
  startLater?: boolean;
  /** Descriptors this process may have, where it lowers its limit (RLIMIT_NOFILE) later. Default: the limit. */
  maxDescriptors?: number;
  logger?: HostLogger;
}

/** The part of pino's logger that is used. */
export interface HostLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

interface HostEvents {
  connected: [id: string];
  disconnected: [id: string];
  /** A fault struck that the protocol has no message for; see {@link Host.faultEvents}. */
  fault: [event: FaultEvent];
  log: [entry: { id: string; level: LogLevel; message: string; fields: Record<string, unknown> }];
}

/** Device functions running in this process, each with its socket and its thread. */
export class Host extends EventEmitter<HostEvents> {
  /** Resolves when no function runs any more: every client has gone, or {@link stop}. */
  readonly closed: Promise<void>;
  /** AER events and removals that wait for who brings them about. */
  readonly faultEvents = new FaultEvents();
  readonly #threads = new Map<string, FunctionThread>();
  readonly #maxDescriptors: number | undefined;
  readonly #mode: { onClientGone: 'exit' | 'relisten'; keepState: boolean };

  /** Listens on every socket. Throws, with none left behind, when one cannot be made. */
  constructor(options: HostOptions) {
    super();
    try {
      for (const spec of options.functions) this.#listen(spec, options.logger);
    } catch (error) {
      for (const thread of this.#threads.values()) void thread.stop();
      throw error;
    }
    const { onClientGone = 'exit', keepState = false, startLater = false } = options;
    this.#mode = { onClientGone, keepState };
    this.#maxDescriptors = options.maxDescriptors;
    if (!startLater) this.start();
    this.closed = Promise.all([...this.#threads.values()].map((thread) => thread.closed)).then(() => {});
  }

  /** Starts the functions' threads, for a host made with `startLater`. */
  start(): void {
    const share = descriptorShare(this.#threads.size, this.#maxDescriptors);
    for (const thread of this.#threads.values()) thread.start(this.#mode, share);
  }

  /** What the host serves. */
  list(): { id: string; model: string; socketPath: string }[] {
    return [...this.#threads.values()].map(({ spec: { id, model, socketPath } }) => ({ id, model, socketPath }));
  }

  registers(id: string): Promise<RegisterValue[]> {
    return this.request(id, 'registers') as Promise<RegisterValue[]>;
  }

  /** Asks one function something, between two of its client's messages. */
  async request(id: string, method: string, parameters: Record<string, unknown> = {}): Promise<unknown> {
    const thread = this.#threads.get(id);
    if (!thread)
      throw new VfioUserError(
        'NOT_FOUND',
        `no function ${JSON.stringify(id)}; there are ${[...this.#threads.keys()].join(', ')}`,
      );
    return await thread.request(method, parameters);
  }

  tellFault(event: FaultEvent): void {
    this.faultEvents.add(event);
    this.emit('fault', event);
  }

  /**
   * Ends every function, closes what its client left there and removes its socket; within half a second, whatever the
   * client or a model in an endless loop does.
   */
  async stop(): Promise<void> {
    await Promise.all([...this.#threads.values()].map((thread) => thread.stop()));
  }

  #listen(spec: FunctionSpec, logger: HostLogger | undefined): void {
    if (spec.model === 'mock-accel') resolveOptions(spec.options as MockAccelOptions);
    if (this.#threads.has(spec.id)) throw new VfioUserError('INVALID_OPTION', `two functions have the id ${spec.id}`);
    const thread = new FunctionThread(spec, (event) => {
      if (event.type === 'connected' || event.type === 'disconnected') this.emit(event.type, spec.id);
      if (event.type === 'fault')
        this.tellFault({ id: spec.id, rule: event.rule.id, fault: event.rule.fault, at: Date.now() });
      if (event.type !== 'log') return;
      const { level, message, fields } = event;
      logger?.[level]({ device: spec.id, ...fields }, message);
      this.emit('log', { id: spec.id, level, message, fields });
    });
    this.#threads.set(spec.id, thread);
  }
}

/** Starts device functions. Resolves when all sockets listen (mode 0600); their threads come up while clients connect. */
export async function startHost(options: HostOptions): Promise<Host> {
  return new Host(options);
}
