import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BookRegister } from '../../register-book/book.ts';
import { codeOf } from '../../testing.ts';
import { RegisterBlock, type RegisterHandler } from './register-block.ts';

const register = (
  name: string,
  offset: number,
  width: number,
  access: BookRegister['access'],
  reset = '0',
): BookRegister => ({
  name,
  offset: String(offset),
  width,
  access,
  reset,
  part: 'base',
  description: name,
});

const registers = [
  register('RO', 0, 4, 'RO', '0x11223344'),
  register('RW', 4, 4, 'RW', '0xaabbccdd'),
  register('WIDE', 8, 8, 'RW', '0x1122334455667788'),
  register('WO', 16, 4, 'WO'),
  register('CLEAR', 20, 4, 'RW1C', '0xff'),
  register('BYTE', 24, 1, 'RW'),
  register('HALF', 26, 2, 'RW'),
  { ...register('MASKED', 28, 4, 'RW'), mask: '0xf' },
  register('TEXT', 32, 16, 'RO'),
];

const block = (handlers: Record<string, RegisterHandler> = {}) =>
  new RegisterBlock({ size: '64', registers }, handlers);
const read = (target: RegisterBlock, offset: number, count: number) => {
  const bytes = new Uint8Array(count + 4).fill(0xee);
  target.read(offset, bytes, 2, count);
  expect([bytes[0], bytes[1], bytes[count + 2], bytes[count + 3]]).toEqual([0xee, 0xee, 0xee, 0xee]);
  return [...bytes.subarray(2, count + 2)];
};
const write = (target: RegisterBlock, offset: number, ...bytes: number[]) =>
  target.write(offset, Uint8Array.of(0xee, ...bytes), 1, bytes.length);

describe('reading', () => {
  test.each([
    ['a whole register', 0, 4, [0x44, 0x33, 0x22, 0x11]],
    ['a byte of it', 2, 1, [0x22]],
    ['over two registers', 2, 4, [0x22, 0x11, 0xdd, 0xcc]],
    ['eight bytes', 8, 8, [0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11]],
    ['what can only be written', 16, 4, [0, 0, 0, 0]],
    ['between registers', 25, 1, [0]],
    ['behind the last', 48, 16, new Array(16).fill(0)],
  ])('%s', (_, offset, count, expected) => {
    expect(read(block(), offset, count)).toEqual(expected);
  });

  test('a handler gives the value', () => {
    let value = 5;
    const target = block({ RO: { read: () => value } });
    expect(read(target, 0, 2)).toEqual([5, 0]);
    value = 0x0600;
    expect(read(target, 1, 1)).toEqual([6]);
  });
});

describe('writing', () => {
  test.each([
    ['a whole register', 4, [1, 2, 3, 4], 'RW', 0x04030201],
    ['a byte of it', 5, [0xff], 'RW', 0xaabbffdd],
    ['a byte of a wide one', 15, [0x99], 'WIDE', Number(0x9922334455667788n)],
    ['ones to clear', 20, [0x0f, 0, 0, 0], 'CLEAR', 0xf0],
    ['a byte register', 24, [7], 'BYTE', 7],
    ['two bytes', 26, [1, 2], 'HALF', 0x0201],
    ['more bits than can be written', 28, [0xff, 0xff, 0, 0], 'MASKED', 0xf],
  ])('%s', (_, offset, bytes, name, value) => {
    const target = block();
    write(target, offset, ...bytes);
    expect(target.get(name)).toBe(value);
    expect(target.dropped).toBe(0);
  });

  test('over two registers reaches both', () => {
    const target = block();
    write(target, 6, 1, 2, 3, 4);
    expect([target.get('RW'), target.getBig('WIDE')]).toEqual([0x0201ccdd, 0x1122334455660403n]);
  });

  test('what cannot be written is dropped and counted: each register, and each stretch without any, once', () => {
    const target = block();
    write(target, 0, 1, 2, 3, 4);
    write(target, 32, 1);
    expect(target.dropped).toBe(2);
    write(target, 60, 1, 2, 3, 4);
    expect(target.dropped).toBe(3);
    // One byte between two registers, the rest in one that takes it.
    write(target, 25, 1, 2, 3);
    expect([target.dropped, target.get('HALF')]).toEqual([4, 0x0302]);
    write(target, 30, 1, 2, 3);
    expect(target.dropped).toBe(5);
    expect(target.get('RO')).toBe(0x11223344);
  });

  test('a handler is told the whole new value and can refuse it', () => {
    const told: [number, number | bigint][] = [];
    const target = block({
      RW: { write: (value, exact) => told.push([value, exact]) < 2 },
      WIDE: { write: (value, exact) => void told.push([value, exact]) },
      CLEAR: { write: (value, exact) => void told.push([value, exact]) },
      WO: { write: (value, exact) => void told.push([value, exact]) },
    });
    write(target, 4, 1);
    write(target, 4, 9);
    write(target, 12, 0xff, 0xff, 0xff, 0xff);
    write(target, 20, 3);
    write(target, 16, 1, 0, 0, 0x80);
    expect(told.map(([, exact]) => BigInt(exact))).toEqual([
      0xaabbcc01n,
      0xaabbcc09n,
      0xffffffff55667788n,
      3n,
      0x80000001n,
    ]);
    expect(target.get('RW')).toBe(0xaabbcc01);
  });

  test('any access leaves the block whole', () => {
    const target = block();
    fc.assert(
      fc.property(fc.nat(63), fc.uint8Array({ minLength: 1, maxLength: 16 }), (offset, bytes) => {
        const count = Math.min(bytes.length, 64 - offset);
        target.write(offset, bytes, 0, count);
        expect(read(target, offset, count)).toHaveLength(count);
        expect(target.get('RO')).toBe(0x11223344);
      }),
    );
  });
});

test('reset goes back to the reset values, also to those set later', () => {
  const target = block();
  write(target, 4, 1, 1, 1, 1);
  target.setReset('RO', 77);
  target.set('RO', 78);
  target.reset();
  expect([target.get('RW'), target.get('RO')]).toEqual([0xaabbccdd, 77]);
});

test('description shows numbers and byte arrays', () => {
  const target = block();
  target.set('TEXT', Uint8Array.of(1, 2, 0xff));
  const described = target.describe();
  expect(described[0]).toEqual({ name: 'RO', offset: 0, width: 4, value: '0x11223344' });
  expect(described.at(-1)!.value).toBe(`0102ff${'00'.repeat(13)}`);
});

test('a handler for a register that is not there is refused', () => {
  expect(codeOf(() => block({ NOPE: {} }))).toBe('NOT_FOUND');
});
