import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { native } from './native.ts';

describe('native code', () => {
  it('is the addon where it was built and wanted, koffi otherwise', () => {
    const built = existsSync(path.join(import.meta.dirname, '../dist/posix.node'));
    const wanted = process.env['KATA_MOCK_POSIX'] !== 'koffi';
    expect(native().name).toBe(built && wanted ? 'addon' : 'koffi');
    if (!built) console.log('posix/dist/posix.node is not built: tested through koffi only');
  });

  it('takes numbers, bigints, strings, bytes and null', () => {
    const { load, errno, strerror, address } = native();
    expect(load('abs', ['int'], 'int')(-7)).toBe(7);
    expect(load('labs', ['long'], 'long')(-(2n ** 40n))).toBe(2 ** 40);
    expect(load('strlen', ['string'], 'long')('ä€')).toBe(5);
    expect(load('strlen', ['string'], 'long')('x'.repeat(100_000))).toBe(100_000);
    const bytes = Buffer.from('four\0');
    expect(load('strlen', ['pointer'], 'long')(bytes)).toBe(4);
    expect(load('strlen', ['uint64_t'], 'long')(address(bytes.subarray(1)))).toBe(3);
    expect(load('close', ['int'], 'int')(-1)).toBe(-1);
    expect([errno(), strerror(errno())]).toEqual([9, 'Bad file descriptor']);
    expect(load('time', ['pointer'], 'long')(null)).toBeGreaterThan(1e9);
  });

  it('refuses a function that is not there and arguments that are not for C', () => {
    const { load } = native();
    expect(() => load('no_such_function', [], 'int')).toThrow();
    const strlen = load('strlen', ['pointer'], 'long') as unknown as (value: unknown) => number;
    for (const value of [{}, true, Symbol('s'), () => {}]) expect(() => strlen(value)).toThrow(TypeError);
  });
});
