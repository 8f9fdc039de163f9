import { describe, expect, it } from 'vitest';
import { SpecError } from './errors.ts';
import { parseSpec, stringifySpec } from './spec.ts';

describe('parseSpec and stringifySpec', () => {
  it('keep exact numbers, unknown members and the order of members', () => {
    const text =
      '{"ociVersion":"1.2.0","zFuture":{"n":18446744073709551615,"list":[null,true]},"linux":{"resources":{"memory":{"limit":9223372036854775807},"future":1}},"annotations":{"b":"1","a":"2"}}';
    expect(stringifySpec(parseSpec(text))).toBe(text);
  });

  it('indent as asked', () => {
    expect(stringifySpec({ ociVersion: '1', mounts: [] }, { indent: 2 })).toBe(
      '{\n  "ociVersion": "1",\n  "mounts": []\n}',
    );
  });

  it.each(['[]', 'null', '1', '"x"'])('refuse %s, which is JSON and no spec', (text) => {
    expect(() => parseSpec(text)).toThrow(SpecError);
    expect(() => parseSpec(text)).toThrow('an OCI spec is a JSON object');
  });
});
