import { fieldBits, type RegisterBook } from './book.ts';

/** The TypeScript constants of a register book. */
export function toTypeScript(book: RegisterBook, source: string): string {
  const lines = [`// Registers of ${book.title}. Generated from ${source} by "npm run generate"; do not edit.`, ''];
  for (const value of book.identity)
    lines.push(`/** ${value.description} */`, `export const ${value.name} = ${value.value};`);
  for (const block of book.blocks) {
    lines.push('', `/** Byte offsets in BAR${block.bar}. */`, 'export const Reg = {');
    for (const register of block.registers)
      lines.push(
        `  /** ${register.access}, ${register.width} bytes: ${register.description} */`,
        `  ${register.name}: ${register.offset},`,
      );
    lines.push('} as const;');
    for (const register of block.registers) {
      const entries = (register.values ?? []).map((value) => [value.name, value.value, value.description]);
      for (const field of register.fields ?? []) {
        const { shift, length } = fieldBits(field);
        const mask = ((1n << BigInt(length)) - 1n) << BigInt(shift);
        if (length === 1) entries.push([field.name, `0x${mask.toString(16)}`, field.description]);
        else entries.push([`${field.name}_SHIFT`, String(shift), field.description]);
        for (const value of field.values ?? [])
          entries.push([`${field.name}_${value.name}`, value.value, value.description]);
      }
      if (entries.length === 0) continue;
      lines.push('', `/** Values and bits of ${register.name}. */`, `export const ${pascal(register.name)} = {`);
      for (const [name, value, description] of entries) lines.push(`  /** ${description} */`, `  ${name}: ${value},`);
      lines.push('} as const;');
    }
  }
  return `${lines.join('\n')}\n`;
}

function pascal(name: string): string {
  return name
    .toLowerCase()
    .split('_')
    .map((word) => word[0]!.toUpperCase() + word.slice(1))
    .join('');
}
