import { beforeAll, describe, expect, it } from 'vitest';
import { artefacts } from '../support/artefacts.ts';
import { runcBundle } from '../support/bundle.ts';
import { bothDevices, cdi, first, type Inspection, readDevice, second } from '../support/devices.ts';
import { output, type SandboxUnderTest, testHost } from '../support/host.ts';

const scope = testHost();
let sandbox: SandboxUnderTest;
let inspection: Inspection;

beforeAll(async () => {
  sandbox = await scope.host.sandbox('two', bothDevices);
  inspection = await scope.host.json<Inspection>(['inspect', 'two']);
});

describe.each([
  { asked: first, other: second, index: 0 },
  { asked: second, other: first, index: 1 },
])('a container that asks for device $index of two on two NUMA nodes', ({ asked, other, index }) => {
  const inContainer = (script: string) => sandbox.container(script, cdi(String(index)));
  const otherMinor = () => /\d+$/.exec(inspection.devices[1 - index]!.guestNode)![0];

  it('reads its UUID, memory and node', async () => {
    const text = output(await inContainer(`cat /dev/mock${index}`));
    expect(readDevice(text)).toMatchObject({
      '': 'Mock Accelerator Device',
      UUID: asked.uuid,
      Memory: `${asked.memory} bytes`,
      Status: '0x00000001',
      'NUMA Node': String(asked.node),
    });
    expect(text).toMatch(/^Wordlist: 7776 words loaded$/m);
    expect(text).toMatch(/^Sample Passphrase \(6 words\): [a-z]/m);
  });

  it('has no node of the other', async () => {
    expect(output(await inContainer('ls -d /dev/mock*'))).toBe(`/dev/mock${index}\n`);
  });

  it('cannot open the other through a node made by hand, while one for its own opens', async () => {
    const own = /\d+$/.exec(inspection.devices[index]!.guestNode)![0];
    const text = output(
      await inContainer(`
        major=$(printf %d 0x$(stat -c %t /dev/mock${index}))
        echo own $(printf %d 0x$(stat -c %T /dev/mock${index}))
        mknod /tmp/own c $major ${own} && head -n 1 /tmp/own
        { mknod /tmp/other c $major ${otherMinor()} && cat /tmp/other; } 2>&1 || true
      `),
    );
    expect(text).toContain(`own ${own}\nMock Accelerator Device\n`);
    expect(text.split('\n').at(-2)).toMatch(/Operation not permitted/);
  });

  it('does not find the other in sysfs', async () => {
    const text = output(
      await inContainer(`
        cat /sys/class/mock-accel/*/uuid 2>/dev/null
        for device in /sys/bus/pci/devices/*; do cat $device/mock-accel/*/uuid 2>/dev/null; done
        find /sys/devices -name uuid -exec cat {} ';' 2>/dev/null | grep -c ${other.uuid}
        ls /sys/bus/pci/devices/${inspection.devices[1 - index]!.guestAddress}/ 2>/dev/null | wc -l
        true
      `),
    );
    const lines = text.trim().split('\n');
    expect(lines.slice(0, -2)).toEqual([asked.uuid, asked.uuid]);
    expect(lines.slice(-2)).toEqual(['0', '0']);
  });
});

describe('a container that asks for none', () => {
  it('has no node and finds no device in sysfs', async () => {
    const look = 'ls -d /dev/mock* 2>/dev/null; cat /sys/class/mock-accel/*/uuid 2>/dev/null; echo done';
    const bundle = runcBundle(artefacts().rootfs, (spec) => {
      spec.process!.terminal = false;
      spec.process!.args = ['sh', '-c', look];
    });
    try {
      const finished = await scope.host.run(['run', '--sandbox', 'two', '--bundle', bundle.path]);
      expect(output(finished)).toBe('done\n');
    } finally {
      bundle.remove();
    }
  });
});
