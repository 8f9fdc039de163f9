import { linkName } from '@kata-mock/pci';
import { FakeTree } from '@kata-mock/pci/testing';
import { afterEach, expect, test } from 'vitest';
import { TreeGuest } from '../guest/tree-guest.ts';
import { runGuestSteps } from './run-guest-steps.ts';
import type { GuestStep } from './steps.ts';

let tree: FakeTree;
afterEach(() => tree.remove());

/** Three functions: one with a driver, one without, one that refuses another driver. */
function machine() {
  tree = new FakeTree({
    roots: [
      {
        bus: '00',
        functions: [
          { at: '02.0', driver: 'nvidia', iommuGroup: '2' },
          { at: '03.0', iommuGroup: '3' },
          { at: '04.0', driver: 'nvidia', iommuGroup: '4', driverOverride: 'fails' },
        ],
      },
    ],
  });
  const guest = new TreeGuest(tree);
  const devpath = (slot: string) => `/devices/pci0000:00/0000:00:${slot}`;
  const bind = (slot: string): GuestStep => ({
    kind: 'bind-driver',
    address: `0000:00:${slot}`,
    devpath: devpath(slot),
    driver: 'vfio-pci',
  });
  const drivers = () => ['02.0', '03.0', '04.0'].map((slot) => linkName(`${tree.sysfs}${devpath(slot)}`, 'driver'));
  return { guest, bind, drivers };
}

test('functions are given to a driver, and back to the drivers they had', async () => {
  const { guest, bind, drivers } = machine();
  const undo = await runGuestSteps(guest, [bind('02.0'), bind('03.0')]);
  expect(drivers()).toEqual(['vfio-pci', 'vfio-pci', 'nvidia']);
  await undo();
  expect(drivers()).toEqual(['nvidia', undefined, 'nvidia']);
  const writes = guest.kernel.writes.length;
  await undo();
  expect(guest.kernel.writes).toHaveLength(writes);
});

test('when one cannot be bound, those before it have their drivers again', async () => {
  const { guest, bind, drivers } = machine();
  await expect(runGuestSteps(guest, [bind('02.0'), bind('04.0')])).rejects.toMatchObject({
    code: 'BIND_FAILED',
    message: expect.stringContaining('0000:00:04.0'),
  });
  expect(drivers()).toEqual(['nvidia', undefined, 'nvidia']);
});

test('one that has the driver already keeps it, whatever comes', async () => {
  const { guest, bind, drivers } = machine();
  await runGuestSteps(guest, [bind('02.0')]);
  await (await runGuestSteps(guest, [bind('02.0')]))();
  expect(drivers()[0]).toBe('vfio-pci');
});

test('a driver that takes its time keeps nobody from other work, and the next steps wait for it', async () => {
  const { guest, bind, drivers } = machine();
  let probe = () => {};
  const probed = new Promise<void>((resolve) => {
    probe = resolve;
  });
  const write = guest.write.bind(guest);
  guest.write = async (file, text) => {
    if (file.endsWith('drivers_probe')) await probed;
    await write(file, text);
  };
  const both = Promise.all([runGuestSteps(guest, [bind('02.0')]), runGuestSteps(guest, [bind('02.0')])]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(drivers()[0]).toBeUndefined();
  probe();
  const [, second] = await both;
  // It found the driver bound, so there is nothing for it to undo.
  await second();
  expect(drivers()[0]).toBe('vfio-pci');
});
