import { VfioUserError } from '../errors.ts';
import type { PciFunction } from '../kit/pci-function.ts';
import type { RegisterBlock, RegisterHandler } from '../kit/registers/register-block.ts';
import type { DeviceMemory } from './device-memory.ts';
import { DMA_MAX_BYTES, DmaCmd, DmaStatus, IrqStatus } from './gen/registers.ts';
import type { IrqBlock } from './irq-block.ts';
import { Work } from './work.ts';

/** Copies between guest and device memory, one command at a time, after the write that started it is answered. */
export class DmaEngine {
  readonly work = new Work(
    () => this.#busy,
    (fn, isCurrent) => {
      const error = this.#copy(fn, isCurrent);
      if (isCurrent()) this.#finish(error);
    },
  );
  readonly #registers: () => RegisterBlock;
  readonly #irqs: IrqBlock;
  readonly #memory: DeviceMemory;
  /** Of the command under way. */
  #direction = 0;

  constructor(registers: () => RegisterBlock, irqs: IrqBlock, memory: DeviceMemory) {
    this.#registers = registers;
    this.#irqs = irqs;
    this.#memory = memory;
  }

  handlers(): Record<string, RegisterHandler> {
    return {
      DMA_CMD: {
        write: (command) => {
          if ((command & DmaCmd.START) !== 0) this.#start((command >> DmaCmd.DIRECTION_SHIFT) & 3);
        },
      },
    };
  }

  /** What of the command under way is in no register. */
  save(): number {
    return this.#direction;
  }

  restore(direction: number): void {
    this.#direction = direction;
  }

  get #busy(): boolean {
    return (this.#registers().get('DMA_STATUS') & 0xff) === DmaStatus.STATE_BUSY;
  }

  #start(direction: number): void {
    if (this.#busy) return;
    this.#registers().set('DMA_STATUS', DmaStatus.STATE_BUSY);
    this.#direction = direction;
    this.work.start();
  }

  #finish(error: number): void {
    const state = error === DmaStatus.ERROR_NONE ? DmaStatus.STATE_DONE : DmaStatus.STATE_ERROR;
    this.#registers().set('DMA_STATUS', state | (error << DmaStatus.ERROR_SHIFT));
    this.#irqs.raise(error === DmaStatus.ERROR_NONE ? IrqStatus.DMA_DONE : IrqStatus.DMA_ERROR);
  }

  /** Carries one command out, as long as it is the current one. Returns the error code, 0 for none. */
  #copy({ bus }: PciFunction, isCurrent: () => boolean): number {
    const registers = this.#registers();
    const direction = this.#direction;
    const length = registers.get('DMA_LEN');
    const source = registers.getBig('DMA_SRC');
    const target = registers.getBig('DMA_DST');
    const { dma } = bus;
    if (length === 0 || length > DMA_MAX_BYTES) return DmaStatus.ERROR_LENGTH;
    if (direction > DmaCmd.DIRECTION_IN_DEVICE) return DmaStatus.ERROR_DIRECTION;
    if (direction !== DmaCmd.DIRECTION_TO_DEVICE && !this.#memory.contains(source, length))
      return DmaStatus.ERROR_DEVICE_ADDRESS;
    if (direction !== DmaCmd.DIRECTION_TO_GUEST && !this.#memory.contains(target, length))
      return DmaStatus.ERROR_DEVICE_ADDRESS;
    if (direction !== DmaCmd.DIRECTION_IN_DEVICE && !dma.enabled) return DmaStatus.ERROR_BUS_MASTER;
    const buffer = new Uint8Array(length);
    try {
      if (direction === DmaCmd.DIRECTION_TO_DEVICE) dma.read(source, buffer);
      else this.#memory.read(source, buffer);
      if (direction === DmaCmd.DIRECTION_TO_GUEST) dma.write(target, buffer);
      else if (isCurrent()) this.#memory.write(target, buffer);
      return DmaStatus.ERROR_NONE;
    } catch (error) {
      bus.log('debug', 'DMA failed', { reason: (error as Error).message });
      const unmapped =
        error instanceof VfioUserError && error.code === 'DMA' && (error.errno === 2 || error.errno === 13);
      return unmapped ? DmaStatus.ERROR_GUEST_ADDRESS : DmaStatus.ERROR_ABORTED;
    }
  }
}
