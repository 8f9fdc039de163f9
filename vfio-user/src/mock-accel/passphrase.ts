import type { PciFunction } from '../kit/pci-function.ts';
import type { RegisterBlock, RegisterHandler } from '../kit/registers/register-block.ts';
import {
  IrqStatus,
  PASSPHRASE_WORDS_MAX,
  PASSPHRASE_WORDS_MIN,
  PassphraseCmd,
  PassphraseStatus,
} from './gen/registers.ts';
import type { IrqBlock } from './irq-block.ts';
import { chooseWords } from './words.ts';

/** The passphrase generator: busy from the command until the work after it is done. */
export class Passphrase {
  words: readonly string[];
  readonly #registers: () => RegisterBlock;
  readonly #irqs: IrqBlock;
  #fn: PciFunction | undefined;
  /** Counts resets and stops, so that work of before one does not end after it. */
  #generation = 0;
  #stopped = false;

  constructor(registers: () => RegisterBlock, irqs: IrqBlock, words: readonly string[]) {
    this.#registers = registers;
    this.#irqs = irqs;
    this.words = words;
  }

  handlers(): Record<string, RegisterHandler> {
    return {
      PASSPHRASE_LENGTH: { write: (words) => words >= PASSPHRASE_WORDS_MIN && words <= PASSPHRASE_WORDS_MAX },
      PASSPHRASE_CMD: {
        write: (command) => {
          if ((command & PassphraseCmd.GENERATE) !== 0) this.#start();
        },
      },
    };
  }

  attached(fn: PciFunction): void {
    this.#fn = fn;
  }

  reset(): void {
    this.#generation++;
  }

  /** What is under way begins anew when the device runs again, here or elsewhere. */
  stop(): void {
    this.#stopped = true;
    this.#generation++;
  }

  run(): void {
    this.#stopped = false;
    if (this.#busy) this.#queue();
  }

  get #busy(): boolean {
    return this.#registers().get('PASSPHRASE_STATUS') === PassphraseStatus.BUSY;
  }

  #start(): void {
    if (this.#busy) return;
    this.#registers().set('PASSPHRASE_STATUS', PassphraseStatus.BUSY);
    if (!this.#stopped) this.#queue();
  }

  #queue(): void {
    const generation = this.#generation;
    this.#fn?.bus.task(() => {
      if (generation === this.#generation) this.#generate();
    });
  }

  #generate(): void {
    const registers = this.#registers();
    const count = registers.get('PASSPHRASE_LENGTH');
    const text = Buffer.from(`${chooseWords(this.words, count).join(' ')}\0`, 'latin1');
    if (text.length > 256) {
      registers.set('PASSPHRASE_STATUS', PassphraseStatus.ERROR);
      return;
    }
    registers.set('PASSPHRASE_BUFFER', text);
    registers.set('PASSPHRASE_COUNT', count);
    registers.set('PASSPHRASE_STATUS', PassphraseStatus.READY);
    this.#irqs.raise(IrqStatus.PASSPHRASE);
  }
}
