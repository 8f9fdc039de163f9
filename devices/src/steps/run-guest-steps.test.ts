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

test('functions are given to a driver, and back to the drivers they had', () => {
  const { guest, bind, drivers } = machine();
  const undo = runGuestSteps(guest, [bind('02.0'), bind('03.0')]);
  expect(drivers()).toEqual(['vfio-pci', 'vfio-pci', 'nvidia']);
  undo();
  expect(drivers()).toEqual(['nvidia', undefined, 'nvidia']);
  const writes = guest.kernel.writes.length;
  undo();
  expect(guest.kernel.writes).toHaveLength(writes);
});

test('when one cannot be bound, those before it have their drivers again', () => {
  const { guest, bind, drivers } = machine();
  expect(() => runGuestSteps(guest, [bind('02.0'), bind('04.0')])).toThrow(
    expect.objectContaining({ code: 'BIND_FAILED', message: expect.stringContaining('0000:00:04.0') }),
  );
  expect(drivers()).toEqual(['nvidia', undefined, 'nvidia']);
});

test('one that has the driver already keeps it, whatever comes', () => {
  const { guest, bind, drivers } = machine();
  runGuestSteps(guest, [bind('02.0')]);
  runGuestSteps(guest, [bind('02.0')])();
  expect(drivers()[0]).toBe('vfio-pci');
});
