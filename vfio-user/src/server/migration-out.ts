import type { MemoryChanges, Migratable } from './device.ts';
import type { IrqTable } from './irq-table.ts';
import { encodeEnd, encodeHead, encodeMemory, encodePending, encodeState } from './migration-stream.ts';

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
  #finished = false;

  constructor(device: Migratable, name: string, irqs: IrqTable) {
    this.#device = device;
    this.#irqs = irqs;
    this.#changes = device.memory?.changes();
    this.#ready = encodeHead(device.shape ?? name);
  }

  /** At most `size` bytes; fewer when there is nothing more, for now or once the device has `stopped` for good. */
  read(size: number, stopped: boolean): Uint8Array {
    const parts: Uint8Array[] = [];
    let room = size;
    while (room > 0) {
      if (this.#ready.length === 0) {
        const next = this.#next(stopped);
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

  #next(stopped: boolean): Uint8Array | undefined {
    const change = this.#changes?.next(stopped);
    if (change) return encodeMemory(change.offset, change.data);
    if (!stopped || this.#finished) return undefined;
    this.#finished = true;
    return Buffer.concat([encodeState(this.#device.save()), encodePending(this.#irqs.pending()), encodeEnd()]);
  }
}
