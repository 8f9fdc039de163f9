import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SpecError } from '../errors.ts';
import { copyJson } from './copy.ts';
import { type Json, parseJson } from './parse.ts';
import { stringifyJson } from './stringify.ts';

/** Bigints as the numbers that JSON.parse makes of them. */
function rounded(value: Json): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, item]) => [name, { value: rounded(item), enumerable: true }]);
  return Object.defineProperties({}, Object.fromEntries(entries));
}

describe('parseJson', () => {
  it('agrees with JSON.parse on any JSON text', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(0, 2), (text, indent) => {
        const value = JSON.parse(text);
        expect(rounded(parseJson(JSON.stringify(value, null, indent)))).toEqual(value);
      }),
    );
  });

  it.each([
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', 9007199254740992n],
    ['-9007199254740993', -9007199254740993n],
    ['18446744073709551615', 18446744073709551615n],
    ['-9223372036854775808', -9223372036854775808n],
    ['0', 0],
    ['-1.5e3', -1500],
    ['1E2', 100],
  ])('keeps %s exact', (text, value) => {
    expect(parseJson(text)).toBe(value);
  });

  it('gives back the text of any integer, however long', () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 70n), 2n ** 70n), (value) => {
        expect(stringifyJson(parseJson(`{"a":[${value}]}`))).toBe(`{"a":[${value}]}`);
      }),
    );
  });

  it.each([
    ['', 'unexpected end'],
    ['{', 'member name'],
    ['{"a"}', 'expected ":"'],
    ['{"a":1,}', 'member name'],
    ['[1,]', 'expected a value'],
    ['[1 2]', 'expected "," or "]"'],
    ['{"a":1 "b":2}', 'expected "," or "}"'],
    ['nul', 'expected a value'],
    ['01', 'after the end'],
    ['1.', 'after the end'],
    ['+1', 'expected a value'],
    ['.5', 'expected a value'],
    ['NaN', 'expected a value'],
    ['"abc', 'string without end'],
    ['"a\nb"', 'control character'],
    ['"\\x41"', 'bad escape'],
    ['"\\u12G4"', 'bad escape'],
    ['{}{}', 'after the end'],
    ["{'a':1}", 'member name'],
    ['1e999', 'out of range'],
  ])('refuses %j', (text, reason) => {
    expect(() => parseJson(text)).toThrow(reason);
    expect(() => parseJson(text)).toThrow(SpecError);
  });

  it('tells line, column and path of a fault', () => {
    expect(() => parseJson('{\n  "linux": {"devices": [1, ?]}\n}')).toThrow(
      '$.linux.devices[1]: expected a value (line 2, column 28)',
    );
  });

  it('keeps a member named __proto__ a member', () => {
    const value = parseJson('{"__proto__": {"polluted": true}}') as object;
    expect(Object.hasOwn(value, '__proto__')).toBe(true);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(stringifyJson(copyJson(value))).toBe('{"__proto__":{"polluted":true}}');
  });

  it('lets the last of two equal members win, or refuses them when told', () => {
    expect(parseJson('{"a":1,"a":2}')).toEqual({ a: 2 });
    expect(() => parseJson('{"a":1,"\\u0061":2}', { duplicates: 'error' })).toThrow('duplicate member "a"');
  });

  it('refuses deep nesting and endless numbers at once', () => {
    const start = process.cpuUsage();
    expect(() => parseJson('['.repeat(5_000_000))).toThrow('512 levels deep');
    expect(() => parseJson('1'.repeat(5_000_000))).toThrow('number too long');
    const { user, system } = process.cpuUsage(start);
    expect((user + system) / 1000).toBeLessThan(2000);
  });

  it('takes a byte order mark and refuses what is not UTF-8', () => {
    expect(parseJson(new TextEncoder().encode('\ufeff{"a":"ä"}'))).toEqual({ a: 'ä' });
    expect(() => parseJson(new Uint8Array([0x22, 0xff, 0x22]))).toThrow('not valid UTF-8');
  });
});

describe('stringifyJson', () => {
  it('writes what JSON.stringify writes, indented or not', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 2, 4), (value, indent) => {
        expect(stringifyJson(value, indent)).toBe(JSON.stringify(value, null, indent));
      }),
    );
  });

  it('leaves out undefined members', () => {
    expect(stringifyJson({ a: undefined, b: [undefined, 1n] })).toBe('{"b":[null,1]}');
  });
});

describe('copyJson', () => {
  it('copies so deep that nothing is shared', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const copy = copyJson(value) as Json;
        expect(copy).toEqual(value);
        if (typeof value === 'object' && value !== null) expect(copy).not.toBe(value);
      }),
    );
  });
});
