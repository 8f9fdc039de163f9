import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { FakeTree } from '@kata-mock/pci/testing';
import { expect, test } from 'vitest';
import { findMockDevices } from './mock-devices.ts';

const uuid = (digit: number) => `0000000${digit}-1111-4111-8111-111111111111`;
const mock = (at: string, number: number) => ({
  at,
  driver: 'mock-accel',
  mockAccel: { name: `mock${number}`, uuid: uuid(number), node: `c 240:${number}` },
});

test('lists what the driver made, in the order of PCI paths', () => {
  using tree = new FakeTree({ roots: [{ bus: '00', functions: [mock('03.0', 0), mock('02.0', 1)] }] });
  expect(findMockDevices(tree.sysfs)).toEqual([
    expect.objectContaining({ index: 0, name: 'mock1', guestAddress: '0000:00:02.0', node: node(1) }),
    expect.objectContaining({ index: 1, name: 'mock0', devpath: '/devices/pci0000:00/0000:00:03.0', node: node(0) }),
  ]);
});

test.each([
  ['a link that leads out of the devices', '../../bus/pci/devices/0000:00:02.0/mock-accel/mock1'],
  ['a link that climbs', '../../devices/pci0000:00/../../outside/mock-accel/mock1'],
  ['an absolute link', '/sys/devices/pci0000:00/0000:00:02.0/mock-accel/mock1'],
  ['a link to a device of another name', '../../devices/pci0000:00/0000:00:02.0/mock-accel/mock7'],
  ['a link to what is not there any more', '../../devices/pci0000:00/0000:00:09.0/mock-accel/mock1'],
])('%s is no device', (_, target) => {
  using tree = new FakeTree({ roots: [{ bus: '00', functions: [mock('02.0', 1)] }] });
  const outside = `${tree.sysfs}/outside/mock-accel/mock1`;
  mkdirSync(outside, { recursive: true });
  writeFileSync(`${outside}/dev`, '240:1\n');
  writeFileSync(`${outside}/uuid`, `${uuid(1)}\n`);
  const link = `${tree.sysfs}/class/mock-accel/mock1`;
  rmSync(link);
  symlinkSync(target, link);
  expect(findMockDevices(tree.sysfs)).toEqual([]);
});

test('a file among the links is no device', () => {
  using tree = new FakeTree({ roots: [{ bus: '00', functions: [mock('02.0', 1)] }] });
  writeFileSync(`${tree.sysfs}/class/mock-accel/version`, '');
  expect(findMockDevices(tree.sysfs)).toHaveLength(1);
});

test('the place in an inventory is one of PCI domain 0', () => {
  const at = (domain: string, number: number) => ({ domain, bus: '00', functions: [mock('02.0', number)] });
  using tree = new FakeTree({ roots: [at('0001', 0), at('0000', 1)] });
  const entry = { uuid: uuid(9), hostAddress: '0000:1a:00.0', deviceTreePath: '02', containerPath: '/dev/gpu' };
  const devices = findMockDevices(tree.sysfs, {
    version: 1,
    devices: [{ ...entry, cdiName: 'x', numaNode: -1, model: 'mock-accel' }],
  });
  expect(devices.map(({ name, containerPath }) => [name, containerPath])).toEqual([
    ['mock1', '/dev/gpu'],
    ['mock0', '/dev/mock1'],
  ]);
});

function node(minor: number) {
  return { type: 'c', major: 240, minor };
}
