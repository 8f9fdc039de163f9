import type { MemoryChanges, Migratable } from './device.ts';
import type { IrqTable } from './irq-table.ts';
import { encodeEnd, encodeHead, encodeMemory, encodePending, encodeSkip, encodeState } from './migration-stream.ts';

/**
 * A device on its way out: its memory while it runs, what of it changed meanwhile, and when it has stopped the last
 * changes, its state and the interrupts it still owes.
 */
export class MigrationOut {
  readonly #device: Migratable;
  readonly #irqs: IrqTable;
  readonly #changes: MemoryChanges | undefined;
  /** Encoded and not yet read. */
  #ready: Uint8Array;
  #stopped = false;
  #finished = false;

  constructor(device: Migratable, name: string, irqs: IrqTable) {
    this.#device = device;
    this.#irqs = irqs;
    this.#changes = device.memory?.changes();
    this.#ready = encodeHead(device.shape ?? name);
  }

  /** At most `size` bytes; fewer when there is nothing more, for now or once the device has `stopped` for good. */
  read(size: number, stopped: boolean): Uint8Array {
    if (stopped && !this.#stopped) this.#changes?.restart();
    this.#stopped = stopped;
    const parts: Uint8Array[] = [];
    let room = size;
    while (room > 0) {
      if (this.#ready.length === 0) {
        const next = this.#next(room);
        if (!next) break;
        this.#ready = next;
      }
      const part = this.#ready.subarray(0, room);
      this.#ready = this.#ready.subarray(part.length);
      room -= part.length;
      parts.push(part);
    }
    return Buffer.concat(parts);
  }

  #next(room: number): Uint8Array | undefined {
    if (this.#finished) return undefined;
    const change = this.#changes?.next();
    // A short reply of a stopped device would mean its end, and looking on would let the client wait.
    if (change === 'later') return this.#stopped ? encodeSkip(room) : undefined;
    if (change) return encodeMemory(change.offset, change.data);
    if (!this.#stopped) return undefined;
    this.#finished = true;
    return Buffer.concat([encodeState(this.#device.save()), encodePending(this.#irqs.pending()), encodeEnd()]);
  }
}
