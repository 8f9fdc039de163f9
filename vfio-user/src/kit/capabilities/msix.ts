import { VfioUserError } from '../../errors.ts';
import { type Capability, capability } from './capability.ts';

export interface MsixLayout {
  vectors: number;
  /** BAR of the table and of the pending bits. */
  bar: number;
  tableOffset: number;
  pbaOffset: number;
}

const MAX_VECTORS = 2048;
const ENTRY_BYTES = 16;
/** The low bits of both offsets name the BAR. */
const ALIGNMENT = 8;

/** Bytes that a BAR must have for the table and the pending bits. Throws INVALID_OPTION for what cannot be laid out. */
export function msixBytes({ vectors, bar, tableOffset, pbaOffset }: MsixLayout): number {
  const refuse = (reason: string) => new VfioUserError('INVALID_OPTION', `MSI-X: ${reason}`);
  if (!(Number.isInteger(vectors) && vectors >= 1 && vectors <= MAX_VECTORS))
    throw refuse(`${vectors} vectors; there can be 1..${MAX_VECTORS}`);
  if (!(Number.isInteger(bar) && bar >= 0 && bar <= 5)) throw refuse(`BAR${bar}; there are 0..5`);
  for (const [what, offset] of Object.entries({ tableOffset, pbaOffset }))
    if (!(offset >= 0 && offset < 2 ** 32 && offset % ALIGNMENT === 0))
      throw refuse(`${what} ${offset} is no multiple of ${ALIGNMENT} below 4 GiB`);
  const tableEnd = tableOffset + vectors * ENTRY_BYTES;
  // Pending bits are read in words of 64.
  const pbaEnd = pbaOffset + Math.ceil(vectors / 64) * 8;
  if (tableOffset < pbaEnd && pbaOffset < tableEnd)
    throw refuse(`the table, ${tableOffset}..${tableEnd}, and the pending bits, ${pbaOffset}..${pbaEnd}, overlap`);
  return Math.max(tableEnd, pbaEnd);
}

/** MSI-X; enable and function mask are writable. The hypervisor emulates the table itself. */
export function msix(layout: MsixLayout): Capability {
  return capability(
    0x11,
    12,
    (view) => {
      view.setUint16(2, layout.vectors - 1, true);
      view.setUint32(4, layout.tableOffset | layout.bar, true);
      view.setUint32(8, layout.pbaOffset | layout.bar, true);
    },
    { place: (fn, offset) => fn.config.allow(offset + 2, 2, 0xc000) },
  );
}
