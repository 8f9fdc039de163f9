import { describe, expect, test } from 'vitest';
import { AddressMap } from '../address-map.ts';
import { planEnvironment, type UntranslatedPolicy } from './environment.ts';

const map = new AddressMap([
  ['0000:1a:01.0', '0000:01:01.0'],
  ['0000:1b:02.0', '0000:01:02.0'],
  ['0000:01:01.0', 'ffff:02:1f.7'],
]);

const rewrite = (env: string[], used = map, untranslated: UntranslatedPolicy = 'error', warnings: string[] = []) => {
  const result = [...env];
  const options = { containerId: 'c1', untranslated, warn: (message: string) => warnings.push(message) };
  for (const step of planEnvironment(env, used, options)) if (step.kind === 'set-env') result[step.index] = step.entry;
  return result;
};

describe('PCIDEVICE variables', () => {
  test('get the guest addresses, in the list and in the JSON, without replacing what was replaced', () => {
    const info = '{"0000:1a:01.0":{"generic":{"deviceID":"0000:1a:01.0"}},"0000:1b:02.0":{}}';
    const env = [
      'A=1',
      'PCIDEVICE_x=0000:1a:01.0,0000:1b:02.0',
      `PCIDEVICE_x_INFO=${info}`,
      'PCIDEVICE_y=0000:01:01.0',
      'NOTAPCIDEVICE_blah=abcd:ef:01.0',
    ];
    expect(rewrite(env)).toEqual([
      'A=1',
      'PCIDEVICE_x=0000:01:01.0,0000:01:02.0',
      'PCIDEVICE_x_INFO={"0000:01:01.0":{"generic":{"deviceID":"0000:01:01.0"}},"0000:01:02.0":{}}',
      'PCIDEVICE_y=ffff:02:1f.7',
      'NOTAPCIDEVICE_blah=abcd:ef:01.0',
    ]);
  });

  test('are found in any case, and the order of list and JSON does not matter', () => {
    expect(rewrite(['PCIDEVICE_x_INFO={"0000:1A:01.0":1}', 'PCIDEVICE_x=0000:1A:01.0'])).toEqual([
      'PCIDEVICE_x_INFO={"0000:01:01.0":1}',
      'PCIDEVICE_x=0000:01:01.0',
    ]);
  });

  test('an address inside a longer run of digits is another address', () => {
    const env = ['PCIDEVICE_x=0000:1a:01.0', 'PCIDEVICE_x_INFO="10000:1a:01.0 0000:1a:01.0f 0000:1a:01.0"'];
    expect(rewrite(env)[1]).toBe('PCIDEVICE_x_INFO="10000:1a:01.0 0000:1a:01.0f 0000:01:01.0"');
  });

  test('the JSON of a list that is not there is left alone', () => {
    expect(rewrite(['PCIDEVICE_x_INFO={"0000:1a:01.0":1}'])).toEqual(['PCIDEVICE_x_INFO={"0000:1a:01.0":1}']);
  });

  test.each([
    [['PCIDEVICE_x=0000:99:00.0'], 'Unable to translate host PCI address 0000:99:00.0', 'UNTRANSLATED_ADDRESS'],
    [['PCIDEVICE_x=mlx5_core.sf.10'], 'variable PCIDEVICE_x: invalid PCI address "mlx5_core.sf.10"', 'MALFORMED_ENV'],
    [['PCIDEVICE_x='], 'variable PCIDEVICE_x', 'MALFORMED_ENV'],
    [['NOVALUE'], 'Malformed OCI env entry "NOVALUE"', 'MALFORMED_ENV'],
  ])('%j is an error', (env, message, code) => {
    expect(() => rewrite(env)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
  });

  test('a container without any address says so', () => {
    expect(() => rewrite(['PCIDEVICE_x=0000:1a:01.0'], new AddressMap())).toThrow(
      'No PCI mapping found for container c1',
    );
  });

  test('with the warning policy an untranslated variable stays whole, the others are rewritten', () => {
    const warnings: string[] = [];
    const env = [
      'PCIDEVICE_x=0000:1a:01.0,0000:99:00.0',
      'PCIDEVICE_x_INFO={"0000:1a:01.0":1}',
      'PCIDEVICE_y=0000:1b:02.0',
    ];
    expect(rewrite(env, map, 'warn', warnings)).toEqual([env[0], env[1], 'PCIDEVICE_y=0000:01:02.0']);
    expect(warnings).toEqual([expect.stringContaining('0000:99:00.0')]);
  });
});

describe('an address map', () => {
  test('takes the same pair twice and refuses two guests for one host', () => {
    const twice = new AddressMap([
      ['a', 'b'],
      ['a', 'b'],
    ]);
    expect(twice.size).toBe(1);
    expect(() => twice.add('a', 'c')).toThrow('Conflicting guest address for host device a (b versus c)');
  });
});
