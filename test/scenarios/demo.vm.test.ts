import { describe, expect, it } from 'vitest';
import { testHost } from '../support/host.ts';

const scope = testHost();

describe('kata-mock demo', () => {
  it('shows what the container sees, the way of each device, and the stages, and leaves nothing', async () => {
    const shown = await scope.host.ok(['demo']);
    expect(shown).toContain('Mock Accelerator Device');
    const addresses = shown.match(/^ +[01] mock-accel.*$/gm)!.map((line) => line.trim().split(/\s+/));
    expect(addresses).toHaveLength(2);
    // Host address, guest address, NUMA node, node of the guest's kernel, path in the container.
    expect(addresses.map((columns) => columns.slice(5))).toEqual([
      ['0', expect.stringMatching(/^\/dev\/mock[01]$/), '/dev/mock0'],
      ['1', expect.stringMatching(/^\/dev\/mock[01]$/), '/dev/mock1'],
    ]);
    const guest = addresses[0]![4];
    expect(shown).toContain(`PCIDEVICE_KATA_MOCK_DEV_ACCEL=${guest}\n`);
    expect(addresses[0]![3]).not.toBe(guest);
    expect(shown).toMatch(/^ +total +\d+\.\d+ s/m);
    expect(shown).not.toMatch(/^ +crw.*\/dev\/mock1$/m);
  });
});
