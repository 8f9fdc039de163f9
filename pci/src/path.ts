import { PciError } from './errors.ts';
import { formatSlotFunction, parseSlotFunction, type SlotFunction } from './slot-function.ts';

/** A PCI path: one slot and function per step, from the root bus over each bridge down to the device. Never empty. */
export type PciPath = readonly SlotFunction[];

/** Deepest chain accepted. A bus number has 8 bits, so no real hierarchy is deeper. */
const MOST_ELEMENTS = 256;

/** Reads `02/03.1`. Throws INVALID_PATH for an empty path or element. */
export function parsePath(text: string): PciPath {
  if (text === '') throw new PciError('INVALID_PATH', 'empty PCI path');
  const elements = text.split('/', MOST_ELEMENTS + 1);
  if (elements.length > MOST_ELEMENTS) {
    throw new PciError('INVALID_PATH', `PCI path has more than ${MOST_ELEMENTS} elements`);
  }
  try {
    return elements.map(parseSlotFunction);
  } catch (error) {
    throw PciError.wrap(
      `invalid PCI path "${text}"`,
      new PciError('INVALID_PATH', (error as Error).message),
      'INVALID_PATH',
    );
  }
}

/** `02.0/03.0`. */
export function formatPath(path: PciPath): string {
  return path.map(formatSlotFunction).join('/');
}
