import { describe, expect, it } from 'vitest';
import { first, type Inspection } from '../support/devices.ts';
import { output, testHost } from '../support/host.ts';
import { processesOf } from '../support/leftovers.ts';

const scope = testHost();
const device = (numa: number) => ['--device', `mock-accel,numa=${numa}`];

describe('two sandboxes at once', () => {
  it('have devices, addresses and files of their own, and the end of one is nothing to the other', async () => {
    const [a, b] = await Promise.all([
      scope.host.sandbox('a', [...device(0), ...device(1)]),
      scope.host.sandbox('b', [...device(0), ...device(1)]),
    ]);
    const [inA, inB] = await Promise.all([
      scope.host.json<Inspection>(['inspect', 'a']),
      scope.host.json<Inspection>(['inspect', 'b']),
    ]);
    const every = [...inA.devices, ...inB.devices];
    expect(every).toHaveLength(4);
    expect(new Set(every.map(({ hostAddress }) => hostAddress)).size).toBe(4);
    expect(new Set(every.map(({ uuid }) => uuid)).size).toBe(4);

    const [fromA, fromB] = await Promise.all([a.sh('cat /dev/mock0'), b.sh('cat /dev/mock0')]);
    expect(output(fromA)).toContain(`UUID: ${inA.devices[0]!.uuid}`);
    expect(output(fromB)).toContain(`UUID: ${inB.devices[0]!.uuid}`);

    const ps = await scope.host.ok(['ps']);
    expect(ps).toMatch(/\ba\b/);
    expect(ps).toMatch(/\bb\b/);

    await a.stop();
    expect(output(await b.sh('cat /dev/mock1'))).toContain(`UUID: ${inB.devices[1]!.uuid}`);
    expect(processesOf(scope.host.runDir).some(({ command }) => command.includes('sandbox-a'))).toBe(false);
    await b.stop();
  });

  it('may be given the same host address', async () => {
    const fixed = ['--device', `mock-accel,host=${first.host}`];
    const [a, b] = await Promise.all([scope.host.sandbox('c', fixed), scope.host.sandbox('d', fixed)]);
    await Promise.all([a.stop(), b.stop()]);
  });
});
