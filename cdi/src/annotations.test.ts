import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { annotationKey, parseAnnotations, updateAnnotations } from './annotations.ts';
import { CdiError } from './errors.ts';

describe('annotationKey', () => {
  it.each([
    ['vendor.class', 'device', 'cdi.k8s.io/vendor.class_device'],
    ['vendor-class', 'a/b/c', 'cdi.k8s.io/vendor-class_a_b_c'],
    ['p', 'd'.repeat(61), `cdi.k8s.io/p_${'d'.repeat(61)}`],
    ['1', '2', 'cdi.k8s.io/1_2'],
  ])('joins %s and %s', (plugin, id, key) => {
    expect(annotationKey(plugin, id)).toBe(key);
  });

  it.each([
    ['', 'd', 'plugin name: it is empty'],
    ['p', '', 'device id: it is empty'],
    ['p', 'd'.repeat(62), '64 bytes, 63 at most'],
    ['p', 'ä'.repeat(31), '64 bytes, 63 at most'],
    ['_p', 'd', 'should start with a letter or digit'],
    ['p', 'd-', 'should end with a letter or digit'],
    ['p', 'd/', 'should end with a letter or digit'],
    ['p', 'a:b', 'only letters, digits'],
    ['p q', 'd', 'only letters, digits'],
  ])('refuses %j and %j', (plugin, id, reason) => {
    expect(() => annotationKey(plugin, id)).toThrow(CdiError);
    expect(() => annotationKey(plugin, id)).toThrow(reason);
  });
});

describe('parseAnnotations', () => {
  it('takes every cdi.k8s.io key in order, whatever it is called, and no other', () => {
    const found = parseAnnotations({
      'cdi.k8s.io/z': 'v.com/c=2,v.com/c=1',
      other: 'nonsense',
      'cdi.k8s.io/': 'v.com/c=0',
      [`cdi.k8s.io/${'k'.repeat(200)}`]: 'v.com/c=3',
      'cdi.k8s.io': 'not ours',
    });
    expect(found.keys).toEqual(['cdi.k8s.io/', `cdi.k8s.io/${'k'.repeat(200)}`, 'cdi.k8s.io/z']);
    expect(found.devices).toEqual(['v.com/c=0', 'v.com/c=3', 'v.com/c=2', 'v.com/c=1']);
  });

  it.each([[undefined], [{}], [{ a: 'b' }]])('finds nothing in %j', (annotations) => {
    expect(parseAnnotations(annotations)).toEqual({ keys: [], devices: [] });
  });

  it.each([
    ['a blank after the comma', 'v/c=a, v/c=b', 'without blanks'],
    ['an empty value', '', 'missing vendor'],
    ['a comma at the end', 'v/c=a,', 'missing vendor'],
    ['one bad name among good ones', 'v/c=a,bad,v/c=b', 'unqualified device "bad"'],
  ])('refuses all for %s', (_, value, reason) => {
    expect(() => parseAnnotations({ 'cdi.k8s.io/x': value, 'cdi.k8s.io/y': 'v/c=a' })).toThrow(reason);
  });

  it('names the key that is wrong', () => {
    expect(() => parseAnnotations({ 'cdi.k8s.io/mine': 'x' })).toThrow(
      'annotation "cdi.k8s.io/mine": unqualified device "x"',
    );
  });
});

describe('updateAnnotations', () => {
  it('adds to a copy, and makes one when there is none', () => {
    const before = { a: 'b' };
    expect(updateAnnotations(before, 'p', 'd', ['v/c=1', 'v/c=1'])).toEqual({
      a: 'b',
      'cdi.k8s.io/p_d': 'v/c=1,v/c=1',
    });
    expect(before).toEqual({ a: 'b' });
    expect(updateAnnotations(undefined, 'p', 'd', ['v/c=1'])).toEqual({ 'cdi.k8s.io/p_d': 'v/c=1' });
  });

  it('refuses a key in use and a name that is not qualified', () => {
    expect(() => updateAnnotations({ 'cdi.k8s.io/p_d': '' }, 'p', 'd', ['v/c=1'])).toThrow('the key is used already');
    expect(() => updateAnnotations({}, 'p', 'd', ['v/c=1', 'x'])).toThrow('unqualified device "x"');
  });

  it('writes nothing for no devices, since nobody could read it; with compat go it does', () => {
    expect(updateAnnotations({ a: 'b' }, 'p', 'd', [])).toEqual({ a: 'b' });
    const written = updateAnnotations({}, 'p', 'd', [], { compat: 'go' });
    expect(written).toEqual({ 'cdi.k8s.io/p_d': '' });
    expect(() => parseAnnotations(written)).toThrow('missing vendor');
  });

  it('writes what can be read back', () => {
    const name = fc.stringMatching(/^[a-z]{1,5}\/[a-z]{1,5}=[a-z0-9]{1,5}$/);
    fc.assert(
      fc.property(fc.array(name, { minLength: 1 }), fc.stringMatching(/^[a-z0-9/]{1,20}[a-z]$/), (devices, id) => {
        expect(parseAnnotations(updateAnnotations({}, 'plugin', id, devices)).devices).toEqual(devices);
      }),
    );
  });
});
