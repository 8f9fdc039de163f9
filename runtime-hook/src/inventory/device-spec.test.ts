import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isKataMockError } from '../errors.ts';
import { deviceKeys, deviceKeysHelp } from './device-keys.ts';
import { parseDeviceList } from './device-list.ts';
import { type DeviceSpec, formatDeviceSpec, parseDeviceSpec } from './device-spec.ts';

describe('a device SPEC', () => {
  test('takes every key', () => {
    const text =
      'mock-accel,uuid=3F2504E0-4F89-41D3-9A0C-0305E82C3301,memory=16G,numa=1,host=0000:1A:00.0,path=/dev/mock0,bus=pxb,name=a0';
    expect(parseDeviceSpec(text)).toEqual({
      model: 'mock-accel',
      count: 1,
      uuid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
      memory: 16n << 30n,
      numa: 1,
      host: '0000:1a:00.0',
      path: '/dev/mock0',
      bus: 'pxb',
      name: 'a0',
    });
  });

  test.each([
    ['mock-accel', { model: 'mock-accel', count: 1 }],
    ['numa=1', { model: 'mock-accel', count: 1, numa: 1 }],
    ['model=other-1,count=3', { model: 'other-1', count: 3 }],
    ['memory=0', { model: 'mock-accel', count: 1, memory: 0n }],
    [' mock-accel,bus=root-port ', { model: 'mock-accel', count: 1, bus: 'root-port' }],
    ['uuid=MOCK-NUMA0-0001', { model: 'mock-accel', count: 1, uuid: '4d4f434b-2d4e-554d-4130-2d3030303100' }],
  ])('takes %j', (text, spec) => {
    expect(parseDeviceSpec(text)).toEqual(spec);
  });

  test.each([
    ['', 'it is empty'],
    ['mock-accel,numa', '"numa" is not of the form key=value'],
    ['mock-accel,colour=red', 'there is no key "colour"'],
    ['mock-accel,numa=1,numa=1', 'numa= is given twice'],
    ['Mock', '"Mock" is not a model name'],
    ['uuid=', 'neither an RFC 4122 UUID'],
    ['uuid=this-text-is-too-long', 'nor 1 to 16 ASCII characters'],
    ['uuid=möck', 'nor 1 to 16 ASCII characters'],
    ['memory=16X', 'size "16X" is not a number of bytes'],
    ['memory=9999999T', 'larger than 2^63 - 1'],
    ['memory=-1', 'is not a number of bytes'],
    ['numa=128', 'from 0 to 127'],
    ['numa=-1', 'from 0 to 127'],
    ['numa=1e2', 'from 0 to 127'],
    ['host=1a:00.0', 'is not a PCI address'],
    ['host=0000:1a:20.0', 'is not a PCI address'],
    ['host=AC00:00:00.0', 'is of the domain of made-up addresses'],
    ['path=dev/mock0', 'is not an absolute path'],
    ['path=/dev/', 'is not an absolute path'],
    ['path=/dev/../etc/passwd', 'has a part "", "." or ".."'],
    ['path=/dev//mock0', 'has a part'],
    ['bus=isa', 'is not root-port or pxb'],
    ['bus=root-port,numa=0', 'has no NUMA node of its own'],
    ['name=all', 'stands for every device'],
    ['name=a/b', 'is not a CDI device name'],
    ['count=0', 'of 1 or more'],
    ['count=2,host=0000:1a:00.0', 'cannot all have the same host'],
  ])('refuses %j and says %j', (text, reason) => {
    expect(() => parseDeviceSpec(text)).toThrow(reason);
    expect(() => parseDeviceSpec(text)).toThrow(/^device "/);
  });

  test('quotes no more than the beginning of a long text', () => {
    expect(() => parseDeviceSpec('x'.repeat(2000))).toThrow(/^device "x{80}…": it is longer than 1024 characters$/);
  });

  const specs: fc.Arbitrary<DeviceSpec> = fc
    .record(
      {
        model: fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/),
        count: fc.constant(1),
        uuid: fc.uuid(),
        memory: fc.bigInt({ min: 0n, max: (1n << 63n) - 1n }),
        numa: fc.integer({ min: 0, max: 127 }),
        host: fc.stringMatching(/^[0-9][0-9a-f]{3}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/),
        path: fc.stringMatching(/^\/dev\/[a-z0-9]{1,9}$/),
        name: fc.stringMatching(/^[b-z0-9]{1,9}$/),
      },
      { requiredKeys: ['model', 'count'] },
    )
    .chain((spec) =>
      fc.constantFrom(undefined, 'pxb' as const).map((bus) => (bus === undefined ? spec : { ...spec, bus })),
    );

  test('reads back what it writes', () => {
    fc.assert(
      fc.property(specs, (spec) => {
        expect(parseDeviceSpec(formatDeviceSpec(spec))).toEqual(spec);
      }),
    );
  });

  test('answers any text with a spec or a USAGE error', () => {
    const words = fc.constantFrom(
      'mock-accel',
      ',',
      'uuid=',
      'numa=',
      '1',
      '16G',
      '=',
      'path=/dev/',
      '..',
      ';',
      '\n',
      '[',
      '"',
    );
    const texts = fc.oneof(
      fc.string(),
      fc.array(words).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        try {
          for (const spec of parseDeviceList(text)) parseDeviceSpec(formatDeviceSpec(spec));
        } catch (error) {
          expect(isKataMockError(error, 'USAGE'), String(error)).toBe(true);
        }
      }),
    );
  });

  test('has help with an example for each key that the grammar takes', () => {
    for (const key of deviceKeys) {
      expect(deviceKeysHelp()).toContain(`${key.name}=${key.example}`);
      expect(() => parseDeviceSpec(`${key.name}=${key.example}`)).not.toThrow();
    }
  });
});

describe('a device list', () => {
  test.each([
    ['2', [{ model: 'mock-accel', count: 2 }]],
    [
      'mock-accel,numa=0; numa=1 ;',
      [
        { model: 'mock-accel', count: 1, numa: 0 },
        { model: 'mock-accel', count: 1, numa: 1 },
      ],
    ],
    [
      'numa=0\nnuma=1\n',
      [
        { model: 'mock-accel', count: 1, numa: 0 },
        { model: 'mock-accel', count: 1, numa: 1 },
      ],
    ],
    [
      '[{"numa": 0, "memory": "1G"}, "numa=1"]',
      [
        { model: 'mock-accel', count: 1, numa: 0, memory: 1n << 30n },
        { model: 'mock-accel', count: 1, numa: 1 },
      ],
    ],
    ['none', []],
    ['', []],
    ['0', []],
    ['[]', []],
  ])('reads %j', (text, specs) => {
    expect(parseDeviceList(text)).toEqual(specs);
  });

  test.each([
    ['[1]', 'has the entry "1"'],
    ['[{"numa": [0]}]', '"numa" is not a text or a number'],
    ['[{"numa": 0}', 'is not JSON'],
    ['{"numa": 0}', 'is not a model name'],
  ])('refuses %j', (text, reason) => {
    expect(() => parseDeviceList(text)).toThrow(reason);
  });

  test('refuses a huge text before reading it', () => {
    expect(() => parseDeviceList(`[${'1,'.repeat(50_000)}`)).toThrow('longer than 65536');
  });
});
