import { VfioUserError } from '../errors.ts';
import { PciIrq } from '../protocol/index.ts';
import type { Region } from '../server/device.ts';
import type { IrqTable } from '../server/irq-table.ts';
import { type MsixLayout, msixBytes } from './capabilities/msix.ts';

/** A page, which a client can lay over it, and what nobody needs more of: the largest table has 32 KiB. */
const [LEAST_BYTES, MOST_BYTES] = [4096, 1 << 20];

/** BAR with the MSI-X table and pending bits. Clients emulate the table; the pending bits are true. */
export class MsixRegion implements Region {
  readonly size: number;
  irqs: IrqTable | undefined;
  readonly #layout: MsixLayout;
  readonly #bytes: Uint8Array;

  constructor(layout: MsixLayout) {
    const needed = msixBytes(layout);
    if (needed > MOST_BYTES)
      throw new VfioUserError(
        'INVALID_OPTION',
        `MSI-X: a BAR of ${needed} bytes; at most ${MOST_BYTES} are made for it`,
      );
    this.size = Math.max(LEAST_BYTES, 2 ** Math.ceil(Math.log2(needed)));
    this.#layout = layout;
    this.#bytes = new Uint8Array(this.size);
    this.reset();
  }

  /** Every vector masked, as the specification has it after reset. */
  reset(): void {
    const { tableOffset, vectors } = this.#layout;
    this.#bytes.fill(0);
    for (let vector = 0; vector < vectors; vector++) this.#bytes[tableOffset + vector * 16 + 12] = 1;
  }

  /** The table; pending bits are not kept here. */
  save(): Uint8Array {
    return this.#bytes.slice();
  }

  /** Of a state of any origin only the table counts. */
  restore(state: Uint8Array): void {
    this.write(0, state, 0, this.size);
  }

  read(offset: number, target: Uint8Array, at: number, count: number): void {
    const { pbaOffset, vectors } = this.#layout;
    for (let vector = 0; vector < vectors; vector++) {
      const bit = 1 << (vector & 7);
      const byte = pbaOffset + (vector >> 3);
      if (this.irqs?.isPending(PciIrq.MSIX, vector)) this.#bytes[byte]! |= bit;
      else this.#bytes[byte]! &= ~bit;
    }
    target.set(this.#bytes.subarray(offset, offset + count), at);
  }

  write(offset: number, source: Uint8Array, at: number, count: number): void {
    const { tableOffset, vectors } = this.#layout;
    const end = tableOffset + vectors * 16;
    for (let index = 0; index < count; index++) {
      const to = offset + index;
      if (to >= tableOffset && to < end) this.#bytes[to] = source[at + index]!;
    }
  }
}
