import { type BookRegister, fieldBits, type NamedValue, type RegisterBook } from './book.ts';

/** The C header of a register book, for the guest driver. Uses no header of its own, so user space may include it too. */
export function toCHeader(book: RegisterBook, source: string): string {
  const prefix = macro(book.device);
  const guard = `${prefix}_REGS_H`;
  const lines = [
    '/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */',
    `/* Registers of ${book.title}. Generated from ${source} by "npm run generate"; do not edit. */`,
    `#ifndef ${guard}`,
    `#define ${guard}`,
    '',
    ...book.identity.flatMap((value) => define(`${prefix}_${value.name}`, value.value, value.description)),
  ];
  for (const block of book.blocks) {
    lines.push('', `/* BAR${block.bar}: ${block.name} */`);
    lines.push(...define(`${prefix}_${macro(block.name)}_SIZE`, block.size, 'bytes'));
    for (const register of block.registers) lines.push('', ...registerLines(prefix, register));
  }
  return `${[...lines, '', `#endif /* ${guard} */`].join('\n')}\n`;
}

function registerLines(prefix: string, register: BookRegister): string[] {
  const only = register.functions ? `, ${register.functions.toUpperCase()} only` : '';
  const name = `${prefix}_${register.name}`;
  return [
    `/* ${register.name}: ${register.access}, ${register.width} bytes${only}; ${register.description} */`,
    `#define ${prefix}_REG_${register.name} ${register.offset}U`,
    ...(register.width > 8 ? [`#define ${name}_BYTES ${register.width}U`] : []),
    ...(register.values ?? []).flatMap((value) => define(`${name}_${value.name}`, value.value, value.description)),
    ...(register.fields ?? []).flatMap((field) => {
      const { shift, length } = fieldBits(field);
      const mask = ((1n << BigInt(length)) - 1n) << BigInt(shift);
      const values = (field.values ?? []).flatMap((value: NamedValue) =>
        define(`${name}_${field.name}_${value.name}`, value.value, value.description),
      );
      return length === 1
        ? define(`${name}_${field.name}`, `0x${mask.toString(16)}`, field.description)
        : [
            ...define(`${name}_${field.name}_MASK`, `0x${mask.toString(16)}`, field.description),
            `#define ${name}_${field.name}_SHIFT ${shift}`,
            ...values,
          ];
    }),
  ];
}

function define(name: string, value: string, comment: string): string[] {
  return [`#define ${name} ${value}U /* ${comment} */`];
}

function macro(name: string): string {
  return name.replaceAll('-', '_').toUpperCase();
}
