import type { PciFunction } from '../kit/pci-function.ts';
import type { RegisterBlock, RegisterHandler } from '../kit/registers/register-block.ts';
import { IrqStatus, VECTORS } from './gen/registers.ts';

const ALL = IrqStatus.PASSPHRASE | IrqStatus.DMA_DONE | IrqStatus.DMA_ERROR | IrqStatus.VF_CHANGE;

/** IRQ_STATUS, IRQ_ENABLE, IRQ_RAISE: bit i is vector i, and all together the INTx line. */
export class IrqBlock {
  readonly #registers: () => RegisterBlock;
  #fn: PciFunction | undefined;

  constructor(registers: () => RegisterBlock) {
    this.#registers = registers;
  }

  handlers(): Record<string, RegisterHandler> {
    return {
      IRQ_STATUS: { write: (cleared) => this.#changed(this.#registers().get('IRQ_STATUS') & ~cleared) },
      IRQ_ENABLE: { write: (enable) => this.#changed(this.#registers().get('IRQ_STATUS'), enable) },
      IRQ_RAISE: { write: (bits) => this.raise(bits & ALL) },
    };
  }

  attached(fn: PciFunction): void {
    this.#fn = fn;
  }

  /** Sets causes and interrupts for those that are enabled. */
  raise(bits: number): void {
    const registers = this.#registers();
    const status = registers.get('IRQ_STATUS') | bits;
    registers.set('IRQ_STATUS', status);
    const enabled = bits & registers.get('IRQ_ENABLE');
    for (let vector = 0; vector < VECTORS; vector++)
      if ((enabled & (1 << vector)) !== 0) this.#fn?.interrupts.raise(vector);
    this.#changed(status);
  }

  #changed(status: number, enable = this.#registers().get('IRQ_ENABLE')): void {
    this.#fn?.interrupts.setLine((status & enable) !== 0);
  }
}
