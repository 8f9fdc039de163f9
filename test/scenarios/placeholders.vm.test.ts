import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { artefacts } from '../support/artefacts.ts';
import { runcBundle } from '../support/bundle.ts';
import type { Running } from '../support/command.ts';
import { bothDevices, first, type Inspection, readDevice, second } from '../support/devices.ts';
import { output, testHost } from '../support/host.ts';

const scope = testHost();
const hosts = `${first.host},${second.host}`;
const info = JSON.stringify({
  [first.host]: { generic: { deviceID: first.host } },
  [second.host]: { deviceID: second.host },
});
let bundle: ReturnType<typeof runcBundle>;
let running: Running;
let inspection: Inspection;

const LOOK = `
  env | grep ^PCIDEVICE_ | sort
  for node in /dev/mock0 /dev/mock1; do stat -c '%n %t:%T' $node; grep UUID $node; done
`;

beforeAll(async () => {
  bundle = runcBundle(artefacts().rootfs, (spec) => {
    spec.process!.terminal = false;
    spec.process!.args = ['sh', '-c', `${LOOK} echo up; trap 'exit 0' TERM; while :; do sleep 1 & wait; done`];
    spec.process!.env!.push(`PCIDEVICE_KATA_MOCK_DEV_ACCEL=${hosts}`, `PCIDEVICE_KATA_MOCK_DEV_ACCEL_INFO=${info}`);
    spec.linux!.devices = ['/dev/mock0', '/dev/mock1'].map((path) => ({ path, type: 'c', major: 1, minor: 3 }));
  });
  running = scope.host.start(['run', '--name', 'bundle', '--bundle', bundle.path, ...bothDevices]);
  await running.until('"up" from the container', () => running.stdout.includes('up\n'));
  inspection = await scope.host.json<Inspection>(['inspect', 'bundle']);
});
afterAll(async () => {
  running?.kill('SIGTERM');
  await running?.ended;
  bundle?.remove();
});

/** What {@link LOOK} must print, from what `inspect` knows of the guest. */
function expected(): string[] {
  const [a, b] = inspection.devices as [Inspection['devices'][0], Inspection['devices'][0]];
  const guestInfo = info.replaceAll(first.host, a.guestAddress).replaceAll(second.host, b.guestAddress);
  const minor = (node: string) => Number(/\d+$/.exec(node)![0]).toString(16);
  return [
    `PCIDEVICE_KATA_MOCK_DEV_ACCEL=${a.guestAddress},${b.guestAddress}`,
    `PCIDEVICE_KATA_MOCK_DEV_ACCEL_INFO=${guestInfo}`,
    expect.stringMatching(new RegExp(`^/dev/mock0 [0-9a-f]+:${minor(a.guestNode)}$`)),
    `UUID: ${first.uuid}`,
    expect.stringMatching(new RegExp(`^/dev/mock1 [0-9a-f]+:${minor(b.guestNode)}$`)),
    `UUID: ${second.uuid}`,
  ];
}

describe('a bundle of runc spec with two placeholders c 1:3 and their PCIDEVICE variables', () => {
  it('has guest numbers and guest addresses in its first process', () => {
    const lines = running.stdout.split('up\n')[0]!.trim().split('\n');
    expect(lines).toEqual(expected());
    expect(lines[2]).not.toContain(' 1:3');
  });

  it('has them in an exec', async () => {
    const text = output(await scope.host.run(['exec', 'bundle', '--', 'sh', '-c', LOOK]));
    expect(text.trim().split('\n')).toEqual(expected());
  });

  it('tells guest from host addresses', () => {
    expect(inspection.devices.map(({ hostAddress }) => hostAddress)).toEqual([first.host, second.host]);
    for (const device of inspection.devices) {
      expect(device.guestAddress).toMatch(/^0000:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/);
      expect([first.host, second.host]).not.toContain(device.guestAddress);
    }
  });

  it('reads memory and node of each through its own node', async () => {
    const text = output(await scope.host.run(['exec', 'bundle', '--', 'cat', '/dev/mock1']));
    expect(readDevice(text)).toMatchObject({ Memory: `${second.memory} bytes`, 'NUMA Node': '1' });
  });
});
