import type { RegisterBlock, RegisterHandler } from '../kit/registers/register-block.ts';
import type { Bus } from '../server/bus.ts';
import {
  IrqStatus,
  PASSPHRASE_WORDS_MAX,
  PASSPHRASE_WORDS_MIN,
  PassphraseCmd,
  PassphraseStatus,
} from './gen/registers.ts';
import type { IrqBlock } from './irq-block.ts';
import { chooseWords } from './words.ts';
import { Work } from './work.ts';

/** The passphrase generator: busy from the command until the work after it is done. */
export class Passphrase {
  words: readonly string[];
  readonly work = new Work(
    () => this.#busy,
    (fn) => this.#generate(fn.bus),
  );
  readonly #registers: () => RegisterBlock;
  readonly #irqs: IrqBlock;

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

  get #busy(): boolean {
    return this.#registers().get('PASSPHRASE_STATUS') === PassphraseStatus.BUSY;
  }

  #start(): void {
    if (this.#busy) return;
    this.#registers().set('PASSPHRASE_STATUS', PassphraseStatus.BUSY);
    this.work.start();
  }

  #generate(bus: Bus): void {
    const registers = this.#registers();
    const count = registers.get('PASSPHRASE_LENGTH');
    const text = Buffer.from(`${chooseWords(this.words, count, (bytes) => bus.random(bytes)).join(' ')}\0`, 'latin1');
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
