import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import json from '../mock-accel/registers.json' with { type: 'json' };
import { codeOf } from '../testing.ts';
import { type BookRegister, checkBook, fieldBits, type RegisterBook } from './book.ts';
import { toCHeader } from './c-header.ts';
import { toMarkdown } from './markdown.ts';
import { toTypeScript } from './typescript.ts';

const book = json as RegisterBook;
const register = (changes: Partial<BookRegister>): BookRegister => ({
  name: 'A',
  offset: '0',
  width: 4,
  access: 'RW',
  part: 'base',
  description: 'a',
  ...changes,
});
const bookOf = (...registers: BookRegister[]): RegisterBook => ({
  device: 'd-e',
  title: 'D',
  description: '',
  identity: [],
  blocks: [{ name: 'regs', bar: 0, size: '0x10', registers }],
});

test('the book of mock-accel is sound, and its files in the tree are generated from it', () => {
  checkBook(book);
  const source = 'vfio-user/src/mock-accel/registers.json';
  const tree = (file: string) => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');
  expect(tree('kernel-driver/mock-accel-regs.h')).toBe(toCHeader(book, source));
  expect(tree('docs/registers.md')).toBe(toMarkdown(book, source));
});

describe('a book', () => {
  test.each([
    ['two registers of one name', [register({}), register({ offset: '4' })]],
    ['registers that overlap', [register({}), register({ name: 'B', offset: '2' })]],
    ['registers out of order', [register({ offset: '8' }), register({ name: 'B' })]],
    ['a register that leaves its block', [register({ offset: '0xe' })]],
    ['a register of no width', [register({ width: 0 })]],
    ['a field that leaves its register', [register({ fields: [{ name: 'F', bits: '32', description: '' }] })]],
    [
      'a field whose bits are the wrong way round',
      [register({ fields: [{ name: 'F', bits: '2:5', description: '' }] })],
    ],
  ])('with %s is refused', (_, registers) => {
    expect(codeOf(() => checkBook(bookOf(...registers)))).toBe('BOOK_INVALID');
  });

  test.each([
    ['3', { shift: 3, length: 1 }],
    ['7:4', { shift: 4, length: 4 }],
    ['31:0', { shift: 0, length: 32 }],
  ])('bits %s', (bits, expected) => {
    expect(fieldBits({ name: 'F', bits, description: '' })).toEqual(expected);
  });
});

test('a register comes out in C and TypeScript with its fields and values', () => {
  const one = bookOf(
    register({
      fields: [
        { name: 'GO', bits: '0', description: 'go' },
        { name: 'MODE', bits: '2:1', description: 'mode', values: [{ name: 'FAST', value: '2', description: 'fast' }] },
      ],
    }),
  );
  const header = toCHeader(one, 'x');
  for (const line of [
    '#define D_E_REG_A 0U',
    '#define D_E_A_GO 0x1U',
    '#define D_E_A_MODE_MASK 0x6U',
    '#define D_E_A_MODE_SHIFT 1',
    '#define D_E_A_MODE_FAST 2U',
  ])
    expect(header).toContain(line);
  expect(toTypeScript(one, 'x')).toContain('MODE_FAST: 2,');
});
