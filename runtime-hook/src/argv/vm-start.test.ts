import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { escapeValue, properties, qemuOptions } from './options.ts';
import { recordings, smallest } from './recordings.testing.ts';
import { recogniseVmStart } from './vm-start.ts';

describe('the start of a sandbox VM', () => {
  test.each(recordings)('is recognised in $name', ({ argv }) => {
    const start = recogniseVmStart(argv);
    expect(argv[1]).toContain(`sandbox-${start?.sandbox}`);
    expect(start).toMatchObject({ machine: 'q35', numaNodes: [0], sharedMemory: true, rootBusNumbers: [] });
    expect(start?.ids).toContain('pci-bridge-0');
    expect([...(start?.usedSlots ?? [])].every((slot) => slot < 0x10 || slot === 0x1f)).toBe(true);
  });

  test('tells which slots QEMU will give away', () => {
    const start = recogniseVmStart(smallest);
    // Bridge at 2 by address; serial, scsi, rng, vsock and fs without one.
    expect([...(start?.usedSlots ?? [])].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 0x1f]);
    expect(start?.objectIds).toEqual(['rng0', 'dimm1']);
    expect(start?.chassis).toEqual(new Set([1]));
  });

  test('sees the NUMA topology of Kata 4', () => {
    const start = recogniseVmStart([
      ...smallest,
      ...['-numa', 'node,nodeid=1,memdev=dimm2'],
      ...['-device', 'pxb-pcie,id=pxb-numa1,bus=pcie.0,bus_nr=0x40,numa_node=1,addr=0x12.0'],
      ...['-device', '{"driver":"pcie-root-port","id":"rp-numa1-0","bus":"pxb-numa1","chassis":11,"slot":0}'],
    ]);
    expect(start?.numaNodes).toEqual([0, 1]);
    expect(start?.rootBusNumbers).toEqual([0x40]);
    expect(start?.chassis).toEqual(new Set([1, 11]));
    expect(start?.usedSlots.has(0x12)).toBe(true);
    expect(start?.ids.has('rp-numa1-0')).toBe(true);
  });

  test.each([
    [[]],
    [['--version']],
    [['-device', 'help']],
    [['-machine', 'none', '-qmp', 'stdio']],
    [['-name', 'guest1', '-machine', 'q35', '-kernel', 'k']],
    [['-name', 'sandbox-', '-machine', 'q35', '-kernel', 'k']],
    [['-name', 'sandbox-../../etc', '-machine', 'q35', '-kernel', 'k']],
    [['-name', 'sandbox-a', '-kernel', 'k']],
    [['-name', 'sandbox-a', '-machine', 'q35']],
    [['-append', '-name', 'sandbox-a', '-machine', 'q35', '-kernel', 'k']],
    [['-name']],
  ])('is not seen in %j', (argv) => {
    expect(recogniseVmStart(argv)).toBeUndefined();
  });

  test('takes -M and two dashes', () => {
    expect(recogniseVmStart(['--name', 'sandbox-a', '-M', 'q35', '--kernel', 'k'])?.sandbox).toBe('a');
  });

  test('is looked for in any argument list without failing', () => {
    const word = fc.oneof(fc.string(), fc.constantFrom(...smallest, '{"driver":', '[]', 'null', '{}'));
    fc.assert(
      fc.property(fc.array(word, { maxLength: 80 }), (argv) => {
        recogniseVmStart(argv);
      }),
    );
  });
});

describe('an option value', () => {
  test('keeps doubled commas', () => {
    expect(properties('file,path=a,,b,readonly', 'type')).toEqual(
      new Map([
        ['type', 'file'],
        ['path', 'a,b'],
        ['readonly', 'on'],
      ]),
    );
  });

  test('comes back from its escaped form', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes('\u0000')),
        (text) => {
          expect(properties(`x,string=${escapeValue(text)}`, 'type').get('string')).toBe(text);
        },
      ),
    );
  });

  test('does not swallow the option after a flag', () => {
    expect(qemuOptions(['-nographic', '-name', 'x', '--no-reboot', '-smp', '1']).map((option) => option.name)).toEqual([
      'nographic',
      'name',
      'no-reboot',
      'smp',
    ]);
  });
});
