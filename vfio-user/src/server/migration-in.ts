import { protocolError } from '../protocol/index.ts';
import type { Migratable } from './device.ts';
import type { IrqTable } from './irq-table.ts';
import { type Pending, StreamReader, type StreamTarget } from './migration-stream.ts';

/** A device that takes over another one's state: memory at once, the rest when all of it has come and is right. */
export class MigrationIn implements StreamTarget {
  readonly #device: Migratable;
  readonly #shape: string;
  readonly #irqs: IrqTable;
  readonly #reader = new StreamReader(this);
  #begun = false;
  #state: Uint8Array | undefined;
  #pending: Pending[] = [];

  constructor(device: Migratable, name: string, irqs: IrqTable) {
    this.#device = device;
    this.#shape = device.shape ?? name;
    this.#irqs = irqs;
  }

  write(data: Uint8Array): void {
    this.#reader.push(data);
  }

  /** All has come: the device becomes what was saved. Without a byte it stays what it is. */
  finish(): void {
    if (this.#reader.isEmpty) return;
    if (!this.#reader.isComplete) throw protocolError('the state that is restored: its end is missing');
    this.#device.restore(this.#state!);
    this.#irqs.restorePending(this.#pending);
  }

  /** Memory of a state that was refused, or not given to its end, does not stay. */
  abandon(): void {
    if (this.#begun) this.#device.memory?.clear();
  }

  head(shape: string): void {
    if (shape !== this.#shape)
      throw protocolError(
        `the state that is restored is that of ${quote(shape)}, this device is ${quote(this.#shape)}`,
      );
    this.#begun = true;
    this.#device.memory?.clear();
  }

  memory(offset: bigint, data: Uint8Array): void {
    const { memory } = this.#device;
    if (!memory || offset + BigInt(data.length) > memory.size)
      throw protocolError(`the state that is restored: memory at 0x${offset.toString(16)} that the device has not got`);
    memory.write(offset, data);
  }

  state(state: Uint8Array): void {
    this.#state = state;
  }

  pending(pending: Pending[]): void {
    for (const [index, vector] of pending)
      if (vector >= this.#irqs.count(index))
        throw protocolError(`the state that is restored: no vector ${vector} of index ${index}`);
    this.#pending = pending;
  }
}

function quote(shape: string): string {
  return JSON.stringify(shape.slice(0, 300));
}
