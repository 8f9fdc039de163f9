import { VfioUserError } from '../errors.ts';
import type { RegisterBlock } from '../kit/registers/register-block.ts';
import { Errno } from '../protocol/index.ts';
import type { DmaEngine } from './dma-engine.ts';
import { DmaStatus, IrqStatus, PASSPHRASE_WORDS_MAX, PASSPHRASE_WORDS_MIN, PassphraseStatus } from './gen/registers.ts';

/** Bytes before the registers: the direction of the DMA command under way. */
const HEAD_BYTES = 1;
const ALL_IRQS = IrqStatus.PASSPHRASE | IrqStatus.DMA_DONE | IrqStatus.DMA_ERROR | IrqStatus.VF_CHANGE;

/** The registers that a function's options decide: they do not move, and must be the same on both sides. */
const fixed = ['DEVICE_ID', 'REVISION', 'MEMORY_SIZE', 'CAPABILITIES', 'FW_VERSION', 'SRIOV_TOTAL_VFS'];

type Values = (name: string) => number;

/** What the device relies on about its own registers; software cannot bring others about, a saved state could. */
const rules: [name: string, right: (value: number, get: Values) => boolean][] = [
  ['PASSPHRASE_LENGTH', (words) => words >= PASSPHRASE_WORDS_MIN && words <= PASSPHRASE_WORDS_MAX],
  ['PASSPHRASE_COUNT', (words) => words <= PASSPHRASE_WORDS_MAX],
  ['PASSPHRASE_STATUS', (status) => status <= PassphraseStatus.ERROR],
  ['IRQ_STATUS', (causes) => (causes & ~ALL_IRQS) === 0],
  ['DMA_STATUS', (status) => (status & 0xff) <= DmaStatus.STATE_ERROR],
  ['SRIOV_NUM_VFS', (vfs, get) => vfs <= get('SRIOV_TOTAL_VFS')],
];

export function saveState(registers: RegisterBlock, dma: DmaEngine): Uint8Array {
  return Buffer.concat([Uint8Array.of(dma.save()), registers.save()]);
}

/** Throws DEVICE, with everything as before, for what is no state of such a function. */
export function restoreState(state: Uint8Array, registers: RegisterBlock, dma: DmaEngine): void {
  const before = registers.save();
  const unchanged = new Map(present(registers, fixed).map((name) => [name, registers.getBig(name)]));
  const [direction = 4] = state;
  try {
    registers.restore(state.subarray(HEAD_BYTES));
    for (const [name, value] of unchanged) check(name, registers.getBig(name) === value, registers);
    for (const [name, right] of rules)
      if (registers.has(name))
        check(
          name,
          right(registers.get(name), (other) => registers.get(other)),
          registers,
        );
    if (direction > 3) throw refuse(`a DMA direction of ${direction}`);
  } catch (error) {
    registers.restore(before);
    throw error;
  }
  dma.restore(direction);
}

const present = (registers: RegisterBlock, names: readonly string[]) => names.filter((name) => registers.has(name));

function check(name: string, right: boolean, registers: RegisterBlock): void {
  if (!right) throw refuse(`${name} 0x${registers.getBig(name).toString(16)}`);
}

function refuse(what: string): VfioUserError {
  return new VfioUserError('DEVICE', `a saved state with ${what} is not one of this function`, { errno: Errno.EINVAL });
}
