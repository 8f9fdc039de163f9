import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CdiError } from './errors.ts';
import { isQualifiedName, parseKind, parseQualifiedName, qualifiedName, splitQualifiedName } from './names.ts';

describe('parseQualifiedName', () => {
  it.each([
    ['vendor.com/class=dev', 'vendor.com', 'class', 'dev'],
    ['a/b=c', 'a', 'b', 'c'],
    ['A1/B2=3', 'A1', 'B2', '3'],
    ['ven_dor-1.com/cl.a_s-s=d:e_v.1-x', 'ven_dor-1.com', 'cl.a_s-s', 'd:e_v.1-x'],
    [
      'nvidia.com/gpu=GPU-edfee158-11c1-52b8-0517-92f30e7fac88',
      'nvidia.com',
      'gpu',
      'GPU-edfee158-11c1-52b8-0517-92f30e7fac88',
    ],
    [`v/c=${'d'.repeat(4096)}`, 'v', 'c', 'd'.repeat(4096)],
  ])('takes %s', (name, vendor, kindClass, device) => {
    expect(parseQualifiedName(name)).toEqual({ vendor, class: kindClass, device });
    expect(isQualifiedName(name)).toBe(true);
  });

  it.each([
    ['', 'missing vendor'],
    ['dev', 'missing vendor'],
    ['class=dev', 'missing vendor'],
    ['vendor.com/class', 'missing vendor'],
    ['/class=dev', 'missing vendor'],
    ['vendor.com/=dev', 'missing vendor'],
    ['vendor.com/class=', 'missing vendor'],
    ['=dev/x', 'missing vendor'],
    ['1vendor/class=dev', 'invalid vendor "1vendor": it should start with a letter'],
    ['_v/class=dev', 'should start with a letter'],
    ['v-/class=dev', 'should end with a letter or digit'],
    ['v!r/class=dev', '"!" is not a letter'],
    ['v/1class=dev', 'invalid class "1class": it should start with a letter'],
    ['v/cl:ass=dev', '":" is not a letter'],
    ['v/c/d=dev', '"/" is not a letter'],
    ['v/class.=dev', 'should end with a letter or digit'],
    ['v/c=-dev', 'it should start with a letter or digit'],
    ['v/c=dev:', 'it should end with a letter or digit'],
    ['v/c=d e', '" " is not a letter'],
    ['v/c=a=b', '"=" is not a letter'],
    ['v/c=a/b', '"/" is not a letter'],
    ['v/c=dé', 'it should end with a letter or digit'],
    ['v/c=d\u{1f600}d', 'is not a letter'],
    [' v/c=d', 'should start with a letter'],
    [`v/c=${'d'.repeat(4097)}`, '4097 characters, 4096 at most'],
    [`${'v'.repeat(5000)}/c=d`, '5000 characters'],
  ])('refuses %j', (name, reason) => {
    expect(isQualifiedName(name)).toBe(false);
    expect(() => parseQualifiedName(name)).toThrow(CdiError);
    expect(() => parseQualifiedName(name)).toThrow(reason);
  });

  it('gives back what was joined', () => {
    const letters = 'abzAZ09_.-';
    const part = fc
      .tuple(fc.constantFrom('a', 'Z'), fc.string({ unit: fc.constantFrom(...letters) }), fc.constantFrom('b', '9'))
      .map((each) => each.join(''));
    fc.assert(
      fc.property(part, part, part, (vendor, kindClass, device) => {
        expect(parseQualifiedName(qualifiedName(vendor, kindClass, device))).toEqual({
          vendor,
          class: kindClass,
          device,
        });
      }),
    );
  });
});

describe('splitQualifiedName', () => {
  it('gives the whole input as the device when it cannot be split', () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        const { vendor, class: kindClass, device } = splitQualifiedName(name);
        expect(vendor === '' ? device : `${vendor}/${kindClass}=${device}`).toBe(name);
        expect(vendor === '').toBe(kindClass === '');
      }),
    );
  });

  it.each([
    ['vendor/class=a=b', { vendor: 'vendor', class: 'class', device: 'a=b' }],
    ['vendor/a/b=c', { vendor: 'vendor', class: 'a/b', device: 'c' }],
    ['a=b/c', { vendor: '', class: '', device: 'a=b/c' }],
  ])('splits %s at the first "=" and then at the first "/"', (name, parts) => {
    expect(splitQualifiedName(name)).toEqual(parts);
  });
});

it('splits a kind at the first "/"', () => {
  expect(parseKind('vendor.com/gpu')).toEqual({ vendor: 'vendor.com', class: 'gpu' });
  expect(parseKind('gpu')).toEqual({ vendor: '', class: 'gpu' });
});
