/**
 * The register book: one JSON file that describes a device's registers, from which the C header of the driver, the
 * TypeScript constants, the table of the docs and the run-time register block are made.
 */
import { VfioUserError } from '../errors.ts';

/** What guest software may do: read only, read and write, write only, read and write 1 to clear. */
export type Access = 'RO' | 'RW' | 'WO' | 'RW1C';

export interface NamedValue {
  name: string;
  /** Decimal or 0x hexadecimal text, because JSON numbers end at 2^53. */
  value: string;
  description: string;
}

export interface BookField {
  name: string;
  /** One bit (`"3"`) or a range, high bit first (`"7:4"`). */
  bits: string;
  description: string;
  part?: 'base' | 'ext';
  values?: NamedValue[];
}

export interface BookRegister {
  name: string;
  /** Byte offset in the block. */
  offset: string;
  /** Bytes; 1, 2, 4 and 8 are numbers, any other width is a byte array. */
  width: number;
  access: Access;
  /** Value after reset; absent where it depends on the device's options. */
  reset?: string;
  /** Bits a write can change; all when absent. */
  mask?: string;
  /** `base` is the original system's interface, `ext` ours. */
  part: 'base' | 'ext';
  /** Only in physical (`pf`) or virtual (`vf`) functions; in both when absent. */
  functions?: 'pf' | 'vf';
  description: string;
  fields?: BookField[];
  values?: NamedValue[];
}

export interface BookBlock {
  name: string;
  bar: number;
  /** Bytes. */
  size: string;
  registers: BookRegister[];
}

export interface RegisterBook {
  device: string;
  title: string;
  description: string;
  /** Numbers that belong to the interface but are no registers. */
  identity: NamedValue[];
  blocks: BookBlock[];
}

/** Lowest bit and number of bits of a field. */
export function fieldBits(field: BookField): { shift: number; length: number } {
  const [high, low = high] = field.bits.split(':').map(Number);
  return { shift: low!, length: high! - low! + 1 };
}

/** Throws {@link VfioUserError} when registers overlap, leave their block or names repeat. */
export function checkBook(book: RegisterBook): void {
  for (const block of book.blocks) {
    const names = new Set<string>();
    let end = 0;
    let previous = '';
    for (const register of block.registers) {
      const offset = Number(register.offset);
      const where = `${book.device}: register ${register.name} at ${register.offset}`;
      if (names.has(register.name)) throw new VfioUserError('BOOK_INVALID', `${where}: the name is taken`);
      if (!(offset >= end)) throw new VfioUserError('BOOK_INVALID', `${where} overlaps or precedes ${previous}`);
      if (!(register.width > 0)) throw new VfioUserError('BOOK_INVALID', `${where} has width ${register.width}`);
      end = offset + register.width;
      if (end > Number(block.size)) throw new VfioUserError('BOOK_INVALID', `${where} leaves block ${block.name}`);
      for (const field of register.fields ?? []) {
        const { shift, length } = fieldBits(field);
        if (!(shift >= 0 && length > 0 && shift + length <= register.width * 8))
          throw new VfioUserError('BOOK_INVALID', `${where}: field ${field.name} has bits ${field.bits}`);
      }
      names.add(register.name);
      previous = register.name;
    }
  }
}
