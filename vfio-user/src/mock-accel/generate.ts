/** Writes the C header, the TypeScript constants and the docs table of registers.json (`npm run generate`). */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkBook, type RegisterBook } from '../register-book/book.ts';
import { toCHeader } from '../register-book/c-header.ts';
import { toMarkdown } from '../register-book/markdown.ts';
import { toTypeScript } from '../register-book/typescript.ts';
import { toDissector } from '../trace/dissector.ts';
import json from './registers.json' with { type: 'json' };

const book = json as RegisterBook;
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const source = 'vfio-user/src/mock-accel/registers.json';

const outputs: Record<string, string> = {
  'kernel-driver/mock-accel-regs.h': toCHeader(book, source),
  'vfio-user/src/mock-accel/gen/registers.ts': toTypeScript(book, source),
  'docs/registers.md': toMarkdown(book, source),
  'vfio-user/wireshark/vfio-user.lua': toDissector(book, source),
};

checkBook(book);
for (const [name, text] of Object.entries(outputs)) {
  const file = path.join(root, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}
