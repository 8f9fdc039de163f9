import { PciError } from './errors.ts';

/** Device number 0..0x1f and function number 0..7 on one bus. */
export interface SlotFunction {
  readonly slot: number;
  readonly function: number;
}

const SLOT_FUNCTION = /^([0-9a-f]{1,2})(?:\.([0-9a-f]{1,2}))?$/i;

/** Reads `SS` or `SS.F` (hex, any case; function 0 when left out). */
export function parseSlotFunction(text: string): SlotFunction {
  const match = SLOT_FUNCTION.exec(text);
  if (!match) throw invalid(text, 'expected SS or SS.F in hex, such as "02" or "1f.7"');
  const slot = Number.parseInt(match[1] as string, 16);
  const fn = match[2] === undefined ? 0 : Number.parseInt(match[2], 16);
  if (slot > 0x1f) throw invalid(text, `slot ${match[1]} is above 1f`);
  if (fn > 7) throw invalid(text, `function ${match[2]} is above 7`);
  return { slot, function: fn };
}

/** Lower case, zero padded, function always shown: `02.0`. */
export function formatSlotFunction(value: SlotFunction): string {
  return `${value.slot.toString(16).padStart(2, '0')}.${value.function.toString(16)}`;
}

function invalid(text: string, why: string): PciError {
  return new PciError('INVALID_SLOT_FUNCTION', `invalid PCI slot and function "${text}": ${why}`);
}
