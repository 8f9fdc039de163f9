import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compareAddresses,
  formatAddress,
  formatSlotFunction,
  PciError,
  parseAddress,
  parseSlotFunction,
} from './index.ts';

const anyAddress = fc.record({
  domain: fc.integer({ min: 0, max: 0xffff }),
  bus: fc.integer({ min: 0, max: 0xff }),
  slot: fc.integer({ min: 0, max: 0x1f }),
  function: fc.integer({ min: 0, max: 7 }),
});

describe('a PCI address', () => {
  test.each([
    ['0000:00:00.0', '0000:00:00.0'],
    ['FFFF:FF:1F.7', 'ffff:ff:1f.7'],
    ['0:1a:2.3', '0000:1a:02.3'],
  ])('%s is read and printed as %s', (text, printed) => {
    expect(formatAddress(parseAddress(text))).toBe(printed);
  });

  test.each([
    '10000:00:00.0',
    '0000:100:00.0',
    '0000:00:20.0',
    '0000:00:00.8',
    '',
    '//',
    '00.0.0',
    'xyz',
    '0000:00:00.0:0',
    '0000:00:00',
    '0000::00.0',
    '-000:00:00.0',
  ])('refuses %j and quotes it', (text) => {
    expect(() => parseAddress(text)).toThrow(`"${text}"`);
    expect(() => parseAddress(text)).toThrow(expect.objectContaining({ code: 'INVALID_ADDRESS' }));
  });

  test('survives printing and reading again', () => {
    fc.assert(fc.property(anyAddress, (address) => void expect(parseAddress(formatAddress(address))).toEqual(address)));
  });

  test('reading any text gives an address or a PciError', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseAddress(text);
        } catch (error) {
          expect(error).toBeInstanceOf(PciError);
        }
      }),
    );
  });

  test('sorts by domain, bus, slot and function, not as text', () => {
    const texts = ['0001:00:00.0', '0000:10:00.0', '0000:02:00.1', '0000:02:00.0'];
    expect(texts.map(parseAddress).sort(compareAddresses).map(formatAddress)).toEqual([...texts].reverse());
  });
});

describe('a slot and function', () => {
  test.each([
    ['02', '02.0'],
    ['1F.7', '1f.7'],
    ['2', '02.0'],
  ])('%s is printed as %s', (text, printed) => {
    expect(formatSlotFunction(parseSlotFunction(text))).toBe(printed);
  });

  test.each(['20', '00.8', '', '.', '00.', '00.0.0', '0x1', 'g'])('refuses %j', (text) => {
    expect(() => parseSlotFunction(text)).toThrow(expect.objectContaining({ code: 'INVALID_SLOT_FUNCTION' }));
  });
});
