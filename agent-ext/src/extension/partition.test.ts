import { describe, expect, test } from 'vitest';
import { LAUNCHER_PATH, manifest } from './manifest.ts';
import { partitionTable } from './partition.ts';

describe('the image of a guest extension', () => {
  test('has a partition table with one Linux partition at 1 MiB', () => {
    const table = partitionTable(4096);
    expect(table.length).toBe(1024 * 1024);
    expect(table.readUInt16LE(510)).toBe(0xaa55);
    expect([table[450], table.readUInt32LE(454), table.readUInt32LE(458)]).toEqual([0x83, 2048, 8]);
    expect(table.subarray(462, 510).every((byte) => byte === 0)).toBe(true);
  });

  test.each([0, -1, 2 ** 42])('cannot hold %i bytes', (bytes) => {
    expect(() => partitionTable(bytes)).toThrow(RangeError);
  });

  test('has a manifest with one process, by a path in the image', () => {
    expect(manifest()).toContain(`path  = "${LAUNCHER_PATH}"`);
    expect(manifest()).toContain('schema_version = 1');
  });
});
