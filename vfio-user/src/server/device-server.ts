import { describeFailure, VfioUserError } from '../errors.ts';
import { commandName } from '../protocol/index.ts';
import type { Channel } from '../transport/channel.ts';
import type { Bus, Log } from './bus.ts';
import { ClientDescriptors } from './client-descriptors.ts';
import type { ResetReason, VfioDevice } from './device.ts';
import { DmaTable } from './dma-table.ts';
import { IrqTable } from './irq-table.ts';
import { Migration } from './migration.ts';
import { Session, type SessionFaults, type SessionObserver } from './session.ts';
import { Timers } from './timers.ts';

export interface DeviceServerOptions {
  log?: Log;
  /** Keep the device's registers when a client leaves; they are reset otherwise. */
  keepState?: boolean;
  /** Regions of guest memory the client may map. Default 65535. */
  maxDmaMaps?: number;
  /** Descriptors the client may leave here. Default: a list of its own, without a bound. */
  descriptors?: ClientDescriptors;
  /**
   * Whether REGION_WRITE_MULTI is agreed to when a client proposes it. `auto`, the default, refuses it to QEMU, which
   * then sends every message through its slow queue; it always works where a client sends it.
   */
  writeMultiple?: boolean | 'auto';
  /** The time the device's timers go by, ms. Default performance.now(); a replay has that of its recording. */
  clock?: () => number;
  /** Random bytes. Default the system's; a replay has those of its recording. */
  random?: (bytes: number) => Uint8Array;
}

/** Refused commands are logged up to this many, then counted only: a guest must not be able to fill a log. */
const LOGGED_REFUSALS = 20;

/** One device and what belongs to it for its whole life; at most one client at a time. */
export class DeviceServer implements Bus {
  readonly device: VfioDevice;
  readonly dma: DmaTable;
  readonly irqs: IrqTable;
  readonly migration: Migration;
  readonly timers = new Timers();
  readonly log: Log;
  session: Session | undefined;
  observer: SessionObserver | undefined;
  faults: SessionFaults | undefined;
  /** Serves other threads that woke this one, while the client is waited for. True when the client is to be left. */
  wake: (() => boolean) | undefined;
  /** How long no further client is to be accepted, ms: a crash that comes back later. */
  awayMs: (() => number) | undefined;
  /** Commands answered with an error. */
  refusals = 0;
  /** Timers of the device that came due; traces say between which messages. */
  timersRun = 0;
  /** True while a task runs. */
  inTask = false;
  readonly #tasks: (() => void)[] = [];
  readonly writeMultiple: boolean | 'auto';
  readonly #keepState: boolean;
  readonly #clock: () => number;
  readonly #random: (bytes: number) => Uint8Array;

  constructor(device: VfioDevice, options: DeviceServerOptions = {}) {
    this.device = device;
    this.log = options.log ?? (() => {});
    this.writeMultiple = options.writeMultiple ?? 'auto';
    this.#keepState = options.keepState ?? false;
    this.#clock = options.clock ?? (() => performance.now());
    this.#random = options.random ?? ((bytes) => crypto.getRandomValues(new Uint8Array(bytes)));
    const { descriptors = new ClientDescriptors() } = options;
    this.dma = new DmaTable(options.maxDmaMaps, descriptors);
    this.irqs = new IrqTable(device.irqs, descriptors);
    this.irqs.changed = (index, vector) => device.irqChanged?.(index, vector);
    this.migration = new Migration(device, this.irqs, () => this.dma.interrupt());
    device.attach(this);
  }

  /** Starts to serve a client. */
  connect(channel: Channel): Session {
    if (this.session) throw new VfioUserError('DEVICE', `${this.device.name} has a client already`);
    this.session = new Session(this, channel);
    this.dma.messages = this.session.requests;
    return this.session;
  }

  /** Drops everything that belongs to the client that left. */
  disconnect(): void {
    this.session?.close();
    this.session = undefined;
    this.dma.messages = undefined;
    this.dma.dirty = undefined;
    this.dma.unmapAll();
    this.irqs.releaseAll();
    // A device that is not reset learns how what it had put off ends: nothing of the client's is there any more.
    if (this.#keepState) this.runTasks();
    this.#tasks.length = 0;
    this.migration.reset();
    if (!this.#keepState) this.reset('disconnect');
  }

  reset(reason: ResetReason): void {
    this.dma.interrupt();
    this.irqs.clearPending();
    this.migration.reset();
    this.device.reset(reason);
  }

  get hasTasks(): boolean {
    return this.#tasks.length > 0 && !this.inTask;
  }

  task(work: () => void): void {
    this.#tasks.push(this.dma.taskOf(work));
  }

  after(delayMs: number, work: () => void): () => void {
    const run = () => {
      this.timersRun++;
      work();
    };
    return this.timers.after(delayMs, run, this.#clock());
  }

  random(bytes: number): Uint8Array {
    const taken = this.#random(bytes);
    this.observer?.random(taken);
    return taken;
  }

  /**
   * Runs what was put off until the command at hand is answered. A task that fails is a line in the log; what is left
   * when the client goes waits for {@link disconnect}.
   */
  runTasks(): void {
    if (this.inTask) return;
    this.inTask = true;
    try {
      while (this.#tasks.length > 0 && this.session?.state !== 'closed') this.#guard('task', this.#tasks.shift()!);
    } finally {
      this.inTask = false;
    }
  }

  /** Runs due timers and the tasks they leave. Returns ms until the next one, Infinity for none. */
  runTimers(): number {
    if (this.timers.isEmpty) return Number.POSITIVE_INFINITY;
    const next = this.timers.run(this.#clock(), (work) => this.#guard('timer', work));
    if (this.hasTasks) this.runTasks();
    return next;
  }

  /** Notes a command that was answered with an error. */
  refused(command: number, error: unknown): void {
    this.refusals++;
    if (this.refusals > LOGGED_REFUSALS) return;
    const last = this.refusals === LOGGED_REFUSALS ? ' (further ones are counted only)' : '';
    this.log('warn', `${commandName(command)} refused${last}`, describeFailure(error));
  }

  #guard(what: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.log('error', `${what} of ${this.device.name} failed`, describeFailure(error));
    }
  }
}
