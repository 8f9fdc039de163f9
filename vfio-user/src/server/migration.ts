import { VfioUserError } from '../errors.ts';
import { Command, commandName, Errno, MigrationState, protocolError } from '../protocol/index.ts';
import type { Migratable, VfioDevice } from './device.ts';
import type { IrqTable } from './irq-table.ts';
import { MigrationIn } from './migration-in.ts';
import { MigrationOut } from './migration-out.ts';

type State = (typeof MigrationState)[keyof typeof MigrationState];
const { ERROR, STOP, RUNNING, STOP_COPY, RESUMING, PRE_COPY } = MigrationState;

/** Direct arcs of the migration state machine (version 2). */
const arcs: Partial<Record<State, readonly State[]>> = {
  [STOP]: [RUNNING, STOP_COPY, RESUMING],
  [RUNNING]: [STOP, PRE_COPY],
  [STOP_COPY]: [STOP],
  [RESUMING]: [STOP],
  [PRE_COPY]: [RUNNING, STOP_COPY],
};

/** What a device still takes in the states that restrict it. */
const allowed: Partial<Record<State, ReadonlySet<number>>> = {
  [STOP]: new Set<number>([Command.REGION_READ, Command.REGION_WRITE, Command.DEVICE_FEATURE, Command.MIG_DATA_READ]),
  [STOP_COPY]: new Set<number>([Command.DEVICE_FEATURE, Command.MIG_DATA_READ]),
  // What a refused state left is of no use: only a reset leads on.
  [ERROR]: new Set<number>([Command.DEVICE_FEATURE, Command.DEVICE_RESET]),
};

/** Migration state of one device, and the data on its way in or out. */
export class Migration {
  state: State = RUNNING;
  readonly #name: string;
  readonly #device: Migratable | undefined;
  readonly #irqs: IrqTable;
  readonly #stopped: () => void;
  #out: MigrationOut | undefined;
  #in: MigrationIn | undefined;

  /** `stopped` is called when the device is to keep still. */
  constructor(device: VfioDevice, irqs: IrqTable, stopped: () => void) {
    this.#name = device.name;
    this.#device = device.migration;
    this.#irqs = irqs;
    this.#stopped = stopped;
  }

  get supported(): boolean {
    return this.#device !== undefined;
  }

  /** After a reset, and for the next client: neither goes on where someone else's migration ended. */
  reset(): void {
    this.#in?.abandon();
    this.#drop();
    this.#enter(RUNNING);
  }

  /** Throws EINVAL for a command that the state does not allow. */
  checkCommand(command: number): void {
    const { state } = this;
    if (state === RUNNING) return;
    if (allowed[state]?.has(command) === false)
      throw protocolError(`${commandName(command)} in migration state ${state}`);
  }

  /** Moves to `target` by the shortest path; EINVAL when there is none. The device's own error passes through. */
  moveTo(target: number): void {
    // Only a refused state leads to ERROR, also from there.
    const path = target === ERROR ? undefined : shortestPath(this.state, target);
    if (!path) throw protocolError(`no way from migration state ${this.state} to ${target}`);
    for (const next of path) this.#step(next);
  }

  /** At most `size` bytes of the state; fewer means its end, and while the device runs: no more for now. */
  read(size: number): Uint8Array {
    if (!this.#out) throw protocolError(`MIG_DATA_READ in state ${this.state}`);
    return this.#out.read(size, this.state === STOP_COPY);
  }

  /** Takes a piece of a state. One that is refused leaves the device in state ERROR. */
  write(data: Uint8Array): void {
    const incoming = this.#in;
    if (!incoming) throw protocolError(`MIG_DATA_WRITE in state ${this.state}`);
    this.#orError(() => incoming.write(data));
  }

  #step(next: State): void {
    const incoming = this.#in;
    if (incoming) this.#orError(() => incoming.finish());
    if (next !== PRE_COPY && next !== STOP_COPY) this.#drop();
    this.#enter(next);
    if (next === PRE_COPY || next === STOP_COPY) this.#out ??= new MigrationOut(this.#device!, this.#name, this.#irqs);
    if (next === RESUMING) this.#in = new MigrationIn(this.#device!, this.#name, this.#irqs);
  }

  /** The device is told when it is to keep still, and when it may go on. */
  #enter(next: State): void {
    const moving = (state: State) => state === RUNNING || state === PRE_COPY;
    if (moving(this.state) && !moving(next)) {
      this.#stopped();
      this.#device?.stop?.();
    }
    if (!moving(this.state) && moving(next)) this.#device?.run?.();
    this.state = next;
  }

  #orError(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#in?.abandon();
      this.#drop();
      this.state = ERROR;
      if (error instanceof VfioUserError && error.errno === 0)
        throw new VfioUserError(error.code, error.message, { errno: Errno.EINVAL, cause: error });
      throw error;
    }
  }

  #drop(): void {
    this.#out = undefined;
    this.#in = undefined;
  }
}

/** Steps from `from` to `to`, without passing a saving state on the way. */
function shortestPath(from: State, to: number): State[] | undefined {
  if (from === to) return [];
  // What was stopped to be saved does not run again to be saved once more.
  if (from === STOP_COPY && to === PRE_COPY) return undefined;
  const queue: State[][] = (arcs[from] ?? []).map((next) => [next]);
  const seen = new Set<State>([from]);
  for (let path = queue.shift(); path; path = queue.shift()) {
    const last = path.at(-1)!;
    if (last === to) return path;
    if (seen.has(last) || last === STOP_COPY || last === PRE_COPY) continue;
    seen.add(last);
    for (const next of arcs[last] ?? []) queue.push([...path, next]);
  }
  return undefined;
}
