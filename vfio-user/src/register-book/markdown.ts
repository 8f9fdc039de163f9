import type { RegisterBook } from './book.ts';

/** The register table of a register book, for the docs. */
export function toMarkdown(book: RegisterBook, source: string): string {
  const lines = [
    `# Registers of ${book.title}`,
    '',
    `<!-- Generated from ${source} by "npm run generate"; do not edit. -->`,
    '',
    book.description,
    '',
    'Access: RO read only, RW read and write, WO write only (reads zero), RW1C read, write 1 to clear. Part: *base* is the',
    "original system's interface, *ext* ours. A read outside every register gives zeros; a write to a read-only or unknown",
    'register is dropped and counted.',
  ];
  for (const block of book.blocks) {
    lines.push('', `## BAR${block.bar}: ${block.name} (${Number(block.size)} bytes)`, '');
    lines.push('| offset | bytes | name | access | reset | part | meaning |', '|---|---|---|---|---|---|---|');
    for (const register of block.registers) {
      const only = register.functions ? ` (${register.functions.toUpperCase()} only)` : '';
      const cells = [
        register.offset,
        register.width,
        register.name,
        register.access,
        register.reset ?? '',
        register.part,
        register.description + only,
      ];
      lines.push(`| ${cells.join(' | ')} |`);
    }
    for (const register of block.registers.filter((candidate) => candidate.fields || candidate.values)) {
      lines.push('', `### ${register.name}`, '', '| bits | name | meaning |', '|---|---|---|');
      for (const value of register.values ?? [])
        lines.push(`| = ${value.value} | ${value.name} | ${value.description} |`);
      for (const field of register.fields ?? []) {
        lines.push(`| ${field.bits} | ${field.name} | ${field.description} |`);
        for (const value of field.values ?? [])
          lines.push(`| ${field.bits} = ${value.value} | ${field.name}.${value.name} | ${value.description} |`);
      }
    }
  }
  lines.push('', '## Numbers of the interface', '', '| name | value | meaning |', '|---|---|---|');
  for (const value of book.identity) lines.push(`| ${value.name} | ${value.value} | ${value.description} |`);
  return `${lines.join('\n')}\n`;
}
