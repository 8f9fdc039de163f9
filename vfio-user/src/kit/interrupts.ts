import { PciIrq } from '../protocol/index.ts';
import type { IrqTable } from '../server/irq-table.ts';

const INTX_DISABLE = 0x400;
/** Multiple Message Enable in MSI's control register: the messages the guest granted are 2 to the power of it. */
const [MSI_CONTROL, MSI_GRANTED_SHIFT] = [2, 4];
export const INTERRUPT_STATUS = 0x8;

/** The interrupts of one function: messages where the guest turned MSI-X or MSI on, the INTx line otherwise. */
export class Interrupts {
  readonly #irqs: IrqTable;
  readonly #config: DataView;
  readonly #hasLine: boolean;
  /** Offset of the MSI capability. */
  readonly #msi: number | undefined;
  #line = false;

  constructor(irqs: IrqTable, config: DataView, hasLine: boolean, msi?: number) {
    this.#irqs = irqs;
    this.#config = config;
    this.#hasLine = hasLine;
    this.#msi = msi;
  }

  /** True when events are messages, so that the line stays quiet. */
  get messageSignalled(): boolean {
    return this.#irqs.enabled(PciIrq.MSIX) || this.#irqs.enabled(PciIrq.MSI);
  }

  /** Sends the message of one vector, if messages are on. MSI folds vectors the guest did not grant into the last one. */
  raise(vector: number): void {
    if (this.#irqs.enabled(PciIrq.MSIX)) this.#irqs.trigger(PciIrq.MSIX, vector);
    else if (this.#irqs.enabled(PciIrq.MSI)) this.#irqs.trigger(PciIrq.MSI, Math.min(vector, this.#granted() - 1));
  }

  /** MSI messages that the guest lets the function use; it may be fewer than asked for. */
  #granted(): number {
    if (this.#msi === undefined) return 1;
    return 1 << ((this.#config.getUint16(this.#msi + MSI_CONTROL, true) >> MSI_GRANTED_SHIFT) & 7);
  }

  /** Sets the level of the INTx line; it is shown in the status register and signalled while nothing disables it. */
  setLine(active: boolean): void {
    if (!this.#hasLine) return;
    this.#line = active;
    const status = this.#config.getUint16(0x06, true);
    this.#config.setUint16(0x06, active ? status | INTERRUPT_STATUS : status & ~INTERRUPT_STATUS, true);
    this.refresh();
  }

  /** The line as a restored status register has it. */
  restoreLine(): void {
    this.setLine((this.#config.getUint16(0x06, true) & INTERRUPT_STATUS) !== 0);
  }

  /** Signals an active line again after an unmask, a new eventfd or a change of the command register. */
  refresh(): void {
    if (!this.#line || this.messageSignalled) return;
    if ((this.#config.getUint16(0x04, true) & INTX_DISABLE) !== 0) return;
    // Level becomes edge: one event, then masked until the client says it has looked. Nothing is left pending, because
    // the line may be down by then.
    if (!this.#irqs.isReady(PciIrq.INTX, 0)) return;
    this.#irqs.trigger(PciIrq.INTX, 0);
    this.#irqs.mask(PciIrq.INTX, 0);
  }
}
