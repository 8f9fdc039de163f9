import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  checkInventory,
  type Inventory,
  type InventoryDevice,
  parseInventory,
  serializeInventory,
} from './inventory.ts';

const device = (index: number, changes: Partial<InventoryDevice> = {}): InventoryDevice => ({
  uuid: `4d4f434b-0000-4000-8000-${index.toString(16).padStart(12, '0')}`,
  hostAddress: `0000:${(0x10 + index).toString(16)}:00.0`,
  deviceTreePath: `${(0x10 + index).toString(16)}/00`,
  numaNode: -1,
  model: 'mock-accel',
  cdiName: String(index),
  containerPath: `/dev/mock${index}`,
  ...changes,
});
const bytes = (value: unknown) => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const codeOf = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    return (error as { code?: string }).code;
  }
  return 'no error';
};

describe('an inventory', () => {
  test('comes back as it was written', () => {
    const inventory: Inventory = { version: 1, devices: [device(0), device(1, { deviceTreePath: 'a0/00/00' })] };
    expect(parseInventory(bytes(serializeInventory(inventory)))).toEqual(inventory);
  });

  test('is one line with keys in a fixed order, whatever order they were given in', () => {
    const shuffled = Object.fromEntries(Object.entries(device(0)).reverse()) as unknown as InventoryDevice;
    const text = serializeInventory({ version: 1, devices: [shuffled] });
    expect(text).toBe(serializeInventory({ version: 1, devices: [device(0)] }));
    expect(text).not.toContain('\n');
  });

  test('drops properties that are not of the contract', () => {
    const inventory = checkInventory({ version: 1, later: true, devices: [{ ...device(0), later: 1 }] });
    expect(inventory).toEqual({ version: 1, devices: [device(0)] });
  });

  test.each([
    ['root port', '11/00'],
    ['function of a root port', '11.3/00'],
    ['pxb root bus', 'a0/00/00'],
    ['pxb root bus and functions', 'ff/1f.7/00.1'],
  ])('takes a device tree path by %s', (_name, deviceTreePath) => {
    expect(checkInventory({ version: 1, devices: [device(0, { deviceTreePath })] }).devices).toHaveLength(1);
  });

  const bad: [string, Partial<Record<keyof InventoryDevice, unknown>>][] = [
    ['a UUID in capitals', { uuid: '4D4F434B-0000-4000-8000-000000000000' }],
    ['a UUID with a line break', { uuid: `${device(0).uuid}\n` }],
    ['a short host address', { hostAddress: '1a:00.0' }],
    ['a slot above 1f in the host address', { hostAddress: '0000:1a:20.0' }],
    ['an empty device tree path', { deviceTreePath: '' }],
    ['a path to nowhere', { deviceTreePath: 'a0//00' }],
    ['a function above 7', { deviceTreePath: '11.8/00' }],
    ['a fractional NUMA node', { numaNode: 0.5 }],
    ['a NUMA node below -1', { numaNode: -2 }],
    ['a model that is a path', { model: '../x' }],
    ['a CDI name with a slash', { cdiName: 'a/b' }],
    ['a relative container path', { containerPath: 'dev/mock0' }],
    ['a container path that climbs', { containerPath: '/dev/../etc/passwd' }],
    ['a container path that ends in a parent', { containerPath: '/dev/..' }],
    ['a container path with a control character', { containerPath: '/dev/mock0\u0000' }],
    ['a container path that is a folder', { containerPath: '/dev/' }],
    ['a missing UUID', { uuid: undefined }],
  ];
  test.each(bad)('refuses %s', (_name, changes) => {
    const value = { version: 1, devices: [{ ...device(0), ...changes }] };
    expect(codeOf(() => parseInventory(bytes(value)))).toBe('SCHEMA');
  });

  test.each(['uuid', 'hostAddress', 'deviceTreePath', 'cdiName', 'containerPath'] as const)(
    'refuses two devices with the same %s and names both',
    (key) => {
      const value = { version: 1, devices: [device(0), device(1), device(2, { [key]: device(0)[key] })] };
      expect(() => checkInventory(value)).toThrow(`devices 0 and 2 of the inventory have the same ${key}`);
    },
  );

  test('refuses a version of the future, more than 256 devices, a huge text and what is not JSON', () => {
    expect(codeOf(() => parseInventory(bytes({ version: 2, devices: [] })))).toBe('VERSION');
    expect(codeOf(() => parseInventory(bytes({ version: 1, devices: Array.from({ length: 257 }, () => ({})) })))).toBe(
      'SCHEMA',
    );
    expect(codeOf(() => parseInventory(new Uint8Array((1 << 20) + 1)))).toBe('TOO_LARGE');
    expect(codeOf(() => parseInventory(bytes('{"version":1')))).toBe('NOT_JSON');
    expect(codeOf(() => parseInventory(new Uint8Array([0xff, 0xfe])))).toBe('NOT_JSON');
  });

  test('answers any bytes and any JSON with an inventory or an InventoryError', () => {
    const orError = (run: () => unknown) => {
      try {
        run();
      } catch (error) {
        expect((error as Error).name).toBe('InventoryError');
      }
    };
    fc.assert(fc.property(fc.uint8Array(), (input) => orError(() => parseInventory(input))));
    fc.assert(fc.property(fc.json(), (input) => orError(() => parseInventory(bytes(input)))));
  });
});
