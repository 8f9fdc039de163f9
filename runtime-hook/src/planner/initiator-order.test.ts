import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hashTableOrder, idsInOrder } from './initiator-order.ts';

describe('the order of a GLib hash table', () => {
  // Left: ids on the command line. Right: the order of the guest's nodes on QEMU 11.1 (GLib 2.84) with Linux 6.12.
  test.each([
    [
      ['dimm1', 'gi1', 'gi2', 'gi3'],
      ['gi2', 'gi1', 'gi3'],
    ],
    [
      ['dimm1', 'kata-mock-gi3', 'kata-mock-gi2', 'kata-mock-gi1'],
      ['kata-mock-gi1', 'kata-mock-gi3', 'kata-mock-gi2'],
    ],
    [
      ['dimm1', 'zz', 'mm', 'aa'],
      ['aa', 'mm', 'zz'],
    ],
  ])('is as measured for %j', (keys, measured) => {
    expect(hashTableOrder(keys).filter((key) => key !== 'dimm1')).toEqual(measured);
  });

  test('has every key once', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.stringMatching(/^[a-z0-9]{1,12}$/), { maxLength: 100 }), (keys) => {
        expect(hashTableOrder(keys).sort()).toEqual([...keys].sort());
      }),
    );
  });
});

describe('chosen ids', () => {
  test('come out in the order of their stems whatever objects the VM has', () => {
    const objects = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}[0-9]{0,2}$/), { maxLength: 12 });
    fc.assert(
      fc.property(objects, fc.integer({ min: 0, max: 8 }), (existing, count) => {
        const stems = Array.from({ length: count }, (_, index) => `kata-mock-node${index + 1}`);
        const ids = idsInOrder(existing, stems) ?? [];
        expect(hashTableOrder([...existing, ...ids]).filter((id) => ids.includes(id))).toEqual(ids);
        expect(ids.map((id, index) => id.startsWith(stems[index] ?? '?'))).toEqual(stems.map(() => true));
      }),
    );
  });

  test('are found for 15 extra nodes at once', () => {
    const stems = Array.from({ length: 15 }, (_, index) => `kata-mock-node${index + 1}`);
    expect(idsInOrder(['rng0', 'dimm1'], stems)).toHaveLength(15);
  });
});
