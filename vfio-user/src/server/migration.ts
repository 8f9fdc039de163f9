import { Command, commandName, MigrationState, protocolError } from '../protocol/index.ts';
import type { Migratable } from './device.ts';

type State = (typeof MigrationState)[keyof typeof MigrationState];
const { STOP, RUNNING, STOP_COPY, RESUMING, PRE_COPY } = MigrationState;

/** Direct arcs of the migration state machine (version 2). */
const arcs: Partial<Record<State, readonly State[]>> = {
  [STOP]: [RUNNING, STOP_COPY, RESUMING],
  [RUNNING]: [STOP, PRE_COPY],
  [STOP_COPY]: [STOP],
  [RESUMING]: [STOP],
  [PRE_COPY]: [RUNNING, STOP_COPY],
};

/** Commands a stopped device still takes. */
const stoppedCommands: ReadonlySet<number> = new Set<number>([
  Command.REGION_READ,
  Command.REGION_WRITE,
  Command.DEVICE_FEATURE,
  Command.MIG_DATA_READ,
]);

/** A state being read or written is at most this large, bytes: the peer chooses how much it sends. */
const MAX_STATE_BYTES = 64 << 20;

/** Migration state of one device, and the data on its way in or out. */
export class Migration {
  state: State = RUNNING;
  readonly #device: Migratable | undefined;
  #outgoing: Uint8Array | undefined;
  #incoming: Uint8Array[] = [];
  #incomingBytes = 0;

  constructor(device: Migratable | undefined) {
    this.#device = device;
  }

  get supported(): boolean {
    return this.#device !== undefined;
  }

  reset(): void {
    this.state = RUNNING;
    this.#drop();
  }

  /** Throws EINVAL for a command that the state does not allow. */
  checkCommand(command: number): void {
    const { state } = this;
    if (state === RUNNING) return;
    const denied = (state === STOP || state === STOP_COPY) && !stoppedCommands.has(command);
    const access = command === Command.REGION_READ || command === Command.REGION_WRITE;
    if (denied || (state === STOP_COPY && access))
      throw protocolError(`${commandName(command)} in migration state ${state}`);
  }

  /** Moves to `target` by the shortest path; EINVAL when there is none. The device's own error passes through. */
  moveTo(target: number): void {
    const path = shortestPath(this.state, target);
    if (!path) throw protocolError(`no way from migration state ${this.state} to ${target}`);
    for (const next of path) this.#step(next);
  }

  /** At most `size` bytes of the saved state; fewer means its end. */
  read(size: number): Uint8Array {
    if (this.state !== PRE_COPY && this.state !== STOP_COPY)
      throw protocolError(`MIG_DATA_READ in state ${this.state}`);
    // Until the device stops its state still changes, so all of it is sent then.
    if (this.state === PRE_COPY) return new Uint8Array(0);
    const data = this.#outgoing ?? new Uint8Array(0);
    this.#outgoing = data.subarray(size);
    return data.subarray(0, size);
  }

  write(data: Uint8Array): void {
    if (this.state !== RESUMING) throw protocolError(`MIG_DATA_WRITE in state ${this.state}`);
    if (this.#incomingBytes + data.length > MAX_STATE_BYTES)
      throw protocolError(`MIG_DATA_WRITE: the state is above ${MAX_STATE_BYTES} bytes`);
    this.#incomingBytes += data.length;
    this.#incoming.push(data.slice());
  }

  #step(next: State): void {
    if (next === STOP_COPY) this.#outgoing = this.#device!.save();
    if (this.state === RESUMING && this.#incoming.length > 0) this.#device!.restore(Buffer.concat(this.#incoming));
    if (next !== STOP_COPY) this.#drop();
    this.state = next;
  }

  #drop(): void {
    this.#outgoing = undefined;
    this.#incoming = [];
    this.#incomingBytes = 0;
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
